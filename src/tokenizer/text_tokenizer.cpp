#include "tokenizer/text_tokenizer.h"

#include <algorithm>

#include "mla/error.h"
#include "tokenizer/utf8.h"

namespace mla {

TextTokenizer::TextTokenizer(TokenizerParts parts) : parts_(std::move(parts)) {
  index_tokens();
  index_added();
}

void TextTokenizer::index_tokens() {
  const Vocabulary& vocabulary = parts_.model.vocabulary();
  tokens_.resize(static_cast<std::size_t>(vocabulary.end_id()));
  for (TokenId id = 0; id < vocabulary.end_id(); ++id)
    if (vocabulary.has(id))
      tokens_[static_cast<std::size_t>(id)] = {parts_.decoder.bytes_of(vocabulary.text(id)), true, false};
}

void TextTokenizer::index_added() {
  const ScratchPool::Lease scratch(scratches_);
  for (const AddedToken& token : parts_.added) {
    // A token that is looked for in normalized text is itself normalized, in decoding too.
    const bool normalize = token.normalized && parts_.normalizer;
    const std::string form =
        normalize ? parts_.normalizer->apply(token.content, (*scratch).regex) : token.content;
    (token.normalized ? normalized_matcher_ : raw_matcher_).add(token, form);
    const auto index = static_cast<std::size_t>(token.id);
    if (index >= tokens_.size()) tokens_.resize(index + 1);
    tokens_[index] = {parts_.decoder.bytes_of(form), true, token.special};
  }
}

std::vector<TokenId> TextTokenizer::encode(std::string_view text, bool add_special_tokens) const {
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 8);
  if (add_special_tokens) ids = parts_.post_processor.before;
  const ScratchPool::Lease scratch(scratches_);
  if (is_valid_utf8(text))
    encode_valid(text, *scratch, ids);
  else
    encode_valid(repair_utf8(text), *scratch, ids);
  const std::vector<TokenId>& after = parts_.post_processor.after;
  if (add_special_tokens) ids.insert(ids.end(), after.begin(), after.end());
  return ids;
}

void TextTokenizer::encode_valid(std::string_view text, EncodeScratch& scratch,
                                 std::vector<TokenId>& ids) const {
  raw_matcher_.split(text, [&](std::string_view piece, std::optional<TokenId> token) {
    if (token) return ids.push_back(*token);
    if (!parts_.normalizer) return encode_plain(piece, scratch, ids);
    encode_plain(parts_.normalizer->apply(std::string(piece), scratch.regex), scratch, ids);
  });
}

void TextTokenizer::encode_plain(std::string_view text, EncodeScratch& scratch,
                                 std::vector<TokenId>& ids) const {
  normalized_matcher_.split(text, [&](std::string_view piece, std::optional<TokenId> token) {
    if (token) return ids.push_back(*token);
    encode_normalized(piece, scratch, ids);
  });
}

void TextTokenizer::encode_normalized(std::string_view text, EncodeScratch& scratch,
                                      std::vector<TokenId>& ids) const {
  if (text.empty()) return;
  if (!parts_.pre_tokenization.splitter) return parts_.model.encode_word(text, scratch.bpe, ids);
  parts_.pre_tokenization.splitter->split(
      text, scratch.regex, [&](std::string_view word) { parts_.model.encode_word(word, scratch.bpe, ids); });
}

const TextTokenizer::Token& TextTokenizer::token(TokenId id) const {
  // Models have more rows than their tokenizer has tokens; such an id stands for no text.
  static const Token nothing{};
  const auto index = static_cast<std::size_t>(id);
  return id < 0 || index >= tokens_.size() ? nothing : tokens_[index];
}

std::string TextTokenizer::decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  std::string bytes;
  bool first = true;
  for (const TokenId id : ids) {
    const Token& entry = token(id);
    if (skip_special_tokens && entry.special) continue;
    if (!first) bytes += parts_.decoder.separator();
    first = false;
    bytes += entry.bytes;
  }
  return is_valid_utf8(bytes) ? bytes : repair_utf8(bytes);
}

std::string TextTokenizer::token_bytes(TokenId id, bool skip_special_tokens) const {
  const Token& entry = token(id);
  return skip_special_tokens && entry.special ? std::string() : entry.bytes;
}

std::optional<TokenId> TextTokenizer::id_of(std::string_view text) const {
  for (const AddedToken& token : parts_.added)
    if (token.content == text) return token.id;
  return parts_.model.vocabulary().find(text);
}

bool TextTokenizer::is_special(TokenId id) const {
  const auto index = static_cast<std::size_t>(id);
  return id >= 0 && index < tokens_.size() && tokens_[index].special;
}

std::string TextTokenizer::describe() const {
  const auto known =
      std::count_if(tokens_.begin(), tokens_.end(), [](const Token& entry) { return entry.known; });
  const std::string& splitting = parts_.pre_tokenization.description;
  return "BPE, " + std::to_string(known) + " tokens (" + std::to_string(parts_.added.size()) + " added), " +
         std::to_string(parts_.model.merge_count()) + " merges, pre-tokenizer " +
         (splitting.empty() ? "none" : splitting);
}

}  // namespace mla
