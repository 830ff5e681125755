#include "tokenizer/gguf_vocabulary.h"

#include <utility>

#include "tokenizer/quote.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

constexpr std::string_view kModel = "tokenizer.ggml.model";

std::string count_of(std::size_t number, std::string_view what) {
  return std::to_string(number).append(1, ' ').append(what);
}

}  // namespace

GgufVocabulary::GgufVocabulary(const GgufFile& source) : file(&source), tokens(source.strings(kGgufTokens)) {
  if (!tokens) file->fail(kGgufTokens, "missing");
  if (tokens->empty()) file->fail(kGgufTokens, "found no tokens, expected at least one");
  if (tokens->size() > static_cast<std::size_t>(kMostTokens))
    file->fail(kGgufTokens, "found " + count_of(tokens->size(), "tokens, expected at most ") +
                                std::to_string(kMostTokens));
  for (std::size_t id = 0; id < tokens->size(); ++id)
    if (!is_valid_utf8((*tokens)[id]))
      file->fail(place(kGgufTokens, id), "found a token that is not valid UTF-8");
  types.assign(tokens->size(), GgufTokenType::normal);
  const GgufValue::Integers* numbers = file->integers(kGgufTokenTypes);
  if (!numbers) return;
  if (numbers->size() != tokens->size())
    file->fail(kGgufTokenTypes,
               "found " + count_of(numbers->size(), "types for ") + count_of(tokens->size(), "tokens"));
  for (std::size_t id = 0; id < numbers->size(); ++id) {
    const std::int64_t number = (*numbers)[id];
    if (number < 1 || number > 6)
      file->fail(place(kGgufTokenTypes, id), "found " + std::to_string(number) + ", expected 1 to 6");
    types[id] = static_cast<GgufTokenType>(number);
  }
}

std::string GgufVocabulary::place(std::string_view key, std::size_t index) const {
  return std::string(key).append("[").append(std::to_string(index)).append("]");
}

Vocabulary GgufVocabulary::table(bool fillers) const {
  Vocabulary table;
  std::size_t characters = 0;
  for (const std::string_view token : *tokens) characters += token.size();
  table.reserve(tokens->size(), characters);
  for (std::size_t id = 0; id < tokens->size(); ++id) {
    const std::string_view token = (*tokens)[id];
    if (token.empty() || (fillers && types[id] == GgufTokenType::unused)) continue;
    if (!table.add(token, static_cast<TokenId>(id)))
      file->fail(place(kGgufTokens, id), "the token " + quote(token) + " stands twice");
  }
  return table;
}

std::vector<AddedToken> GgufVocabulary::added() const {
  std::vector<AddedToken> result;
  for (std::size_t id = 0; id < tokens->size(); ++id) {
    const bool special = types[id] == GgufTokenType::control || types[id] == GgufTokenType::unknown;
    if ((!special && types[id] != GgufTokenType::user_defined) || (*tokens)[id].empty()) continue;
    AddedToken token;
    token.id = static_cast<TokenId>(id);
    token.content = (*tokens)[id];
    token.normalized = false;
    token.special = special;
    result.push_back(std::move(token));
  }
  return result;
}

void GgufVocabulary::append_marker(std::string_view add_key, std::string_view id_key, bool wanted,
                                   TokenId otherwise, std::vector<TokenId>& ids) const {
  const auto last = static_cast<std::int64_t>(tokens->size()) - 1;
  const std::optional<TokenId> id = file->token(id_key, last + 1);
  if (!file->boolean(add_key).value_or(wanted)) return;
  if (!id && (otherwise < 0 || otherwise > last)) {
    const bool stated = file->find(add_key) != nullptr;
    file->fail(id_key, stated ? "missing, but " + std::string(add_key) + " asks for it"
                              : "missing, but encoding with this tokenizer.ggml.pre begins with it");
  }
  ids.push_back(id.value_or(otherwise));
}

PostProcessor GgufVocabulary::post_processor(bool add_bos, TokenId bos, TokenId eos) const {
  PostProcessor result;
  append_marker("tokenizer.ggml.add_bos_token", "tokenizer.ggml.bos_token_id", add_bos, bos, result.before);
  append_marker("tokenizer.ggml.add_eos_token", "tokenizer.ggml.eos_token_id", false, eos, result.after);
  return result;
}

TokenizerParts read_gguf_tokenizer(const GgufFile& file) {
  const std::optional<std::string_view> model = file.string(kModel);
  if (!model) file.fail(kModel, "missing");
  if (*model == "gpt2") return read_gguf_byte_level(GgufVocabulary(file));
  if (*model == "llama") return read_gguf_scored(GgufVocabulary(file));
  file.unsupported(kModel, "found " + quote(*model) + ", expected gpt2 or llama");
}

}  // namespace mla
