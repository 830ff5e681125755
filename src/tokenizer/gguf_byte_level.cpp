// `tokenizer.ggml.model` = "gpt2".
#include <utility>

#include "tokenizer/gguf_pre_tokenizers.h"
#include "tokenizer/gguf_vocabulary.h"
#include "tokenizer/quote.h"

namespace mla {
namespace {

class MergeReader {
 public:
  MergeReader(const GgufVocabulary& source, const Vocabulary& table) : source_(source), table_(table) {}

  MergeTable read() {
    const GgufValue::Strings* merges = source_.file->strings(kGgufMerges);
    if (!merges) source_.file->fail(kGgufMerges, "missing");
    MergeTable result;
    result.reserve(merges->size());
    std::string joined;
    for (std::size_t i = 0; i < merges->size(); ++i) {
      const std::string_view merge = (*merges)[i];
      const std::size_t space = merge.find(' ');
      if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos)
        source_.file->fail(source_.place(kGgufMerges, i),
                           "found " + quote(merge) + ", expected two tokens and a space between them");
      const std::string_view left = merge.substr(0, space);
      const std::string_view right = merge.substr(space + 1);
      joined.assign(left).append(right);
      result.add(id(left, i), id(right, i), static_cast<std::uint32_t>(i), id(joined, i));
    }
    return result;
  }

 private:
  TokenId id(std::string_view token, std::size_t i) const {
    const std::optional<TokenId> found = table_.find(token);
    if (!found) source_.file->fail(source_.place(kGgufMerges, i), quote(token) + " is not in the vocabulary");
    return *found;
  }

  const GgufVocabulary& source_;
  const Vocabulary& table_;
};

GgufPreTokenizer read_pre(const GgufFile& file) {
  const std::string_view name = file.string(kGgufPre).value_or("default");
  std::optional<GgufPreTokenizer> known = find_gguf_pre_tokenizer(name);
  if (!known)
    file.unsupported(kGgufPre, "found " + quote(name) + ", expected one of " + gguf_pre_tokenizer_names());
  return std::move(*known);
}

}  // namespace

TokenizerParts read_gguf_byte_level(const GgufVocabulary& vocabulary) {
  const GgufFile& file = *vocabulary.file;
  const GgufPreTokenizer pre = read_pre(file);
  const std::string place(kGgufPre);
  PreTokenization splitting = read_pre_tokenizer(JsonField(pre.pre_tokenizer, file.name(), place));
  splitting.description = file.string(kGgufPre).value_or("default");
  Vocabulary table = vocabulary.table(true);
  MergeTable merges = MergeReader(vocabulary, table).read();
  BpeOptions options;
  options.ignore_merges = pre.ignore_merges;
  options.byte_level = true;
  Bpe model(std::move(table), std::move(merges), std::move(options), file.name());
  TokenizerParts parts{file.name(), nullptr, std::move(splitting), std::move(model), vocabulary.added(),
                       {},          {}};
  const Json composed = {{"type", "NFC"}};
  if (pre.composed) parts.normalizer = Normalizer::from_json(JsonField(composed, file.name(), place));
  const Json decoder = {{"type", "ByteLevel"}};
  parts.decoder = TokenDecoder(JsonField(decoder, file.name(), place));
  parts.post_processor = vocabulary.post_processor(pre.add_bos, -1, -1);
  return parts;
}

}  // namespace mla
