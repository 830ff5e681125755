// Bpe from the object `model` of tokenizer.json.
#include "mla/error.h"
#include "tokenizer/bpe.h"
#include "tokenizer/quote.h"

namespace mla {
namespace {

class MergeReader {
 public:
  MergeReader(const Vocabulary& vocabulary, const MergeList& list, std::size_t prefix, const JsonField& model)
      : vocabulary_(vocabulary), list_(list), prefix_(prefix), model_(model) {}

  MergeTable read() {
    MergeTable merges;
    merges.reserve(list_.size());
    std::string joined;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      const TokenId left = id(list_.left(i), i);
      const TokenId right = id(list_.right(i), i);
      if (list_.right(i).size() < prefix_)
        fail(i, "the second part is shorter than continuing_subword_prefix");
      joined.assign(list_.left(i)).append(list_.right(i).substr(prefix_));
      merges.add(left, right, static_cast<std::uint32_t>(i), id(joined, i));
    }
    return merges;
  }

 private:
  TokenId id(std::string_view token, std::size_t i) const {
    const std::optional<TokenId> found = vocabulary_.find(token);
    if (!found) fail(i, quote(token) + " is not in the vocabulary");
    return *found;
  }

  [[noreturn]] void fail(std::size_t i, const std::string& message) const {
    throw Error(ErrorCode::format, model_.file(), model_.place() + ".merges[" + std::to_string(i) + "]",
                message);
  }

  const Vocabulary& vocabulary_;
  const MergeList& list_;
  std::size_t prefix_;
  const JsonField& model_;
};

std::string text_or_empty(const JsonField& model, std::string_view key) {
  const std::optional<JsonField> field = model.find(key);
  return field ? field->as_string() : std::string();
}

bool flag(const JsonField& model, std::string_view key) {
  const std::optional<JsonField> field = model.find(key);
  return field && field->as_bool();
}

}  // namespace

Bpe Bpe::from_json(const JsonField& model, Vocabulary vocabulary, const MergeList& merges, bool byte_level) {
  if (const auto dropout = model.find("dropout"); dropout && dropout->as_number() != 0)
    dropout->unsupported("dropout makes encoding random");
  BpeOptions options;
  if (const auto unk = model.find("unk_token")) options.unk_token = unk->as_string();
  options.continuing_subword_prefix = text_or_empty(model, "continuing_subword_prefix");
  options.end_of_word_suffix = text_or_empty(model, "end_of_word_suffix");
  options.fuse_unk = flag(model, "fuse_unk");
  options.byte_fallback = flag(model, "byte_fallback");
  options.ignore_merges = flag(model, "ignore_merges");
  options.byte_level = byte_level;
  MergeTable table = MergeReader(vocabulary, merges, options.continuing_subword_prefix.size(), model).read();
  return Bpe(std::move(vocabulary), std::move(table), std::move(options), model.file());
}

}  // namespace mla
