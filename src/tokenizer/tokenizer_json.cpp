// Puts the tokenizer together from a tokenizer.json.
#include "tokenizer/tokenizer_json.h"

#include <algorithm>

#include "base/json.h"
#include "mla/error.h"
#include "tokenizer/document.h"
#include "tokenizer/quote.h"
#include "tokenizer/tokenizer_config.h"

namespace mla {
namespace {

bool has_token(const TokenizerParts& parts, TokenId id) {
  return parts.model.vocabulary().has(id) ||
         std::ranges::any_of(parts.added, [&](const AddedToken& token) { return token.id == id; });
}

/// What is put around a text are tokens.
void check_post_processor(const JsonField& field, const TokenizerParts& parts) {
  for (const auto* const ids : {&parts.post_processor.before, &parts.post_processor.after})
    for (const TokenId id : *ids)
      if (!has_token(parts, id)) field.fail("found the id " + std::to_string(id) + ", which no token has");
}

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

std::size_t count_values(const Json& json) {
  std::size_t count = 1;
  if (json.is_structured())
    for (const Json& value : json) count += count_values(value);
  return count;
}

/// Each component has a handful of members; thousands of regexes would take long to compile.
void check_components(const JsonField& root) {
  constexpr std::size_t kMostValues = 10'000;
  for (const char* key : {"normalizer", "pre_tokenizer", "post_processor", "decoder"})
    if (const auto field = root.find(key); field && count_values(field->json()) > kMostValues)
      field->fail("found more than " + std::to_string(kMostValues) + " values");
}

/// The reference library knows one version.
void check_version(const JsonField& root) {
  const auto version = root.find("version");
  if (version && version->as_string() != "1.0")
    version->unsupported("found " + quote(version->as_string()) + ", expected \"1.0\"");
}

TokenizerParts read_parts(TokenizerDocument document, const std::string& file) {
  const JsonField root(document.rest, file);
  check_version(root);
  check_components(root);
  PreTokenization pre_tokenization;
  if (const auto field = root.find("pre_tokenizer")) pre_tokenization = read_pre_tokenizer(*field);
  const JsonField model_field = root.get("model").expect_object();
  // Files of the first versions have no type.
  if (const auto type = model_field.find("type"); type && type->as_string() != "BPE")
    type->unsupported("found " + quote(type->as_string()) + ", expected BPE");
  if (!document.vocabulary) throw Error(ErrorCode::format, file, "model.vocab", "missing or not an object");
  if (document.vocabulary->size() == 0)
    throw Error(ErrorCode::format, file, "model.vocab", "found no tokens, expected at least one");
  if (!document.merges) throw Error(ErrorCode::format, file, "model.merges", "missing or not an array");
  Bpe model = Bpe::from_json(model_field, std::move(*document.vocabulary), *document.merges,
                             pre_tokenization.byte_level);
  TokenizerParts parts{root.file(), nullptr, std::move(pre_tokenization), std::move(model), {}, {}, {}};
  if (const auto field = root.find("normalizer")) parts.normalizer = Normalizer::from_json(*field);
  if (const auto field = root.find("added_tokens")) {
    parts.added = read_added_tokens(*field, document.end_of_ids);
    check_added(*field, parts.added, parts.model.vocabulary());
  }
  if (const auto field = root.find("post_processor")) {
    parts.post_processor = read_post_processor(*field);
    check_post_processor(*field, parts);
  }
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
