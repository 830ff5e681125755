// Puts the tokenizer together from a tokenizer.json.
#include "tokenizer/tokenizer_json.h"

#include "base/json.h"
#include "mla/error.h"
#include "tokenizer/document.h"
#include "tokenizer/quote.h"
#include "tokenizer/tokenizer_config.h"

namespace mla {
namespace {

/// An added token that is in the vocabulary too must have its id there; another token must not have it.
void check_added(const JsonField& field, const std::vector<AddedToken>& added, const Vocabulary& vocabulary) {
  for (std::size_t i = 0; i < added.size(); ++i) {
    const std::optional<TokenId> known = vocabulary.find(added[i].content);
    if (known && *known != added[i].id)
      field.element(i).get("id").fail("found " + std::to_string(added[i].id) + ", but model.vocab says " +
                                      std::to_string(*known));
    if (!known && vocabulary.has(added[i].id))
      field.element(i).get("id").fail("found " + std::to_string(added[i].id) + ", which is " +
                                      quote(vocabulary.text(added[i].id)) + " in model.vocab");
  }
}

TokenizerParts read_parts(TokenizerDocument document, const std::string& file) {
  const JsonField root(document.rest, file);
  PreTokenization pre_tokenization;
  if (const auto field = root.find("pre_tokenizer")) pre_tokenization = read_pre_tokenizer(*field);
  const JsonField model_field = root.get("model").expect_object();
  // Files of the first versions have no type.
  if (const auto type = model_field.find("type"); type && type->as_string() != "BPE")
    type->unsupported("found " + quote(type->as_string()) + ", expected BPE");
  if (!document.vocabulary) throw Error(ErrorCode::format, file, "model.vocab", "missing or not an object");
  if (!document.merges) throw Error(ErrorCode::format, file, "model.merges", "missing or not an array");
  Bpe model = Bpe::from_json(model_field, std::move(*document.vocabulary), *document.merges,
                             pre_tokenization.byte_level);
  TokenizerParts parts{root.file(), nullptr, std::move(pre_tokenization), std::move(model), {}, {}, {}};
  if (const auto field = root.find("normalizer")) parts.normalizer = Normalizer::from_json(*field);
  if (const auto field = root.find("added_tokens")) {
    parts.added = read_added_tokens(*field);
    check_added(*field, parts.added, parts.model.vocabulary());
  }
  if (const auto field = root.find("post_processor")) parts.post_processor = read_post_processor(*field);
  if (const auto field = root.find("decoder")) parts.decoder = TokenDecoder(*field);
  return parts;
}

/// Lets encoding begin with `bos`, unless the post-processor does that already.
void add_bos(const std::string& bos, TokenizerParts& parts) {
  std::optional<TokenId> id = parts.model.vocabulary().find(bos);
  for (const AddedToken& token : parts.added)
    if (token.content == bos) id = token.id;
  if (!id)
    throw Error(ErrorCode::format, parts.file, "added_tokens",
                "found no token " + quote(bos) + ", which tokenizer_config.json has as bos_token");
  std::vector<TokenId>& before = parts.post_processor.before;
  if (before.empty() || before.front() != *id) before.insert(before.begin(), *id);
}

}  // namespace

TokenizerParts read_tokenizer_json(const std::filesystem::path& file) {
  TokenizerParts parts = read_parts(read_tokenizer_document(file), file.string());
  if (const auto bos = bos_to_add(file.parent_path())) add_bos(*bos, parts);
  return parts;
}

}  // namespace mla
