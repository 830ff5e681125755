#include "tokenizer/text_tokenizer.h"

#include <algorithm>

#include "mla/error.h"
#include "tokenizer/utf8.h"

namespace mla {

TextTokenizer::TextTokenizer(TokenizerParts parts) : parts_(std::move(parts)) {
  index_tokens();
  index_added();
}

void TextTokenizer::set_token(TokenId id, std::string_view spelling, bool special) {
  DecodedToken decoded = parts_.decoder.decode(spelling);
  tokens_[static_cast<std::size_t>(id)] = {std::move(decoded.bytes), decoded.is_byte, true, special};
}

void TextTokenizer::index_tokens() {
  const Vocabulary& vocabulary = parts_.model.vocabulary();
  tokens_.resize(static_cast<std::size_t>(vocabulary.end_id()));
  for (TokenId id = 0; id < vocabulary.end_id(); ++id)
    if (vocabulary.has(id)) set_token(id, vocabulary.text(id), false);
}

std::string TextTokenizer::normalize(std::string_view piece, RegexScratch& scratch,
                                     TextGrowth& growth) const {
  std::string result = parts_.normalizer->apply(std::string(piece), scratch, growth);
  growth.most -= result.size();
  return result;
}

void TextTokenizer::index_added() {
  const ScratchPool::Lease scratch(scratches_);
  std::size_t bytes = 0;
  for (const AddedToken& token : parts_.added) bytes += token.content.size();
  TextGrowth growth(bytes);
  for (const AddedToken& token : parts_.added) {
    const bool changes = token.normalized && parts_.normalizer;
    const std::string& form = added_forms_.emplace_back(
        changes ? normalize(token.content, (*scratch).regex, growth) : token.content);
    (token.normalized ? normalized_matcher_ : raw_matcher_).add(token, form);
    tokens_.resize(std::max(tokens_.size(), static_cast<std::size_t>(token.id) + 1));
    set_token(token.id, form, token.special);
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
  TextGrowth growth(text.size());
  raw_matcher_.split(text, [&](std::string_view piece, std::optional<TokenId> token) {
    if (token) return ids.push_back(*token);
    const bool at_start = piece.data() == text.data();
    if (!parts_.normalizer) return encode_plain(piece, at_start, scratch, ids);
    encode_plain(normalize(piece, scratch.regex, growth), at_start, scratch, ids);
  });
}

void TextTokenizer::encode_plain(std::string_view text, bool at_start, EncodeScratch& scratch,
                                 std::vector<TokenId>& ids) const {
  normalized_matcher_.split(text, [&](std::string_view piece, std::optional<TokenId> token) {
    if (token) return ids.push_back(*token);
    encode_normalized(piece, at_start && piece.data() == text.data(), scratch, ids);
  });
}

void TextTokenizer::encode_normalized(std::string_view text, bool at_start, EncodeScratch& scratch,
                                      std::vector<TokenId>& ids) const {
  if (text.empty()) return;
  if (!parts_.pre_tokenization.splitter) return parts_.model.encode_word(text, scratch.bpe, ids);
  parts_.pre_tokenization.splitter->split(text, at_start, scratch.regex, [&](std::string_view word) {
    parts_.model.encode_word(word, scratch.bpe, ids);
  });
}

const TextTokenizer::Token& TextTokenizer::token(TokenId id) const {
  // Models have more rows than their tokenizer has tokens; such an id stands for no text.
  static const Token nothing{};
  const auto index = static_cast<std::size_t>(id);
  return id < 0 || index >= tokens_.size() ? nothing : tokens_[index];
}

void TextTokenizer::decode_token(TokenId id, bool skip_special_tokens, TextJoiner& joiner,
                                 std::string& text) const {
  const Token& entry = token(id);
  if (!entry.known || (skip_special_tokens && entry.special)) return;
  if (!joiner.at_start() || !parts_.decoder.treats_first())
    return joiner.add(entry.bytes, entry.is_byte, text);
  const DecodedToken decoded = decode_first(id);
  joiner.add(decoded.bytes, decoded.is_byte, text);
}

DecodedToken TextTokenizer::decode_first(TokenId id) const {
  for (std::size_t i = 0; i < parts_.added.size(); ++i)
    if (parts_.added[i].id == id) return parts_.decoder.decode(added_forms_[i], true);
  return parts_.decoder.decode(parts_.model.vocabulary().text(id), true);
}

std::string TextTokenizer::decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  TextJoiner joiner(parts_.decoder.join());
  std::string text;
  for (const TokenId id : ids) decode_token(id, skip_special_tokens, joiner, text);
  joiner.finish(text);
  return text;
}

class TextTokenizer::Stream final : public DecodingStream {
 public:
  Stream(const TextTokenizer& tokenizer, bool skip_special_tokens)
      : tokenizer_(tokenizer),
        skip_special_tokens_(skip_special_tokens),
        joiner_(tokenizer.parts_.decoder.join()) {}

  std::string push(TokenId id) override {
    std::string text;
    tokenizer_.decode_token(id, skip_special_tokens_, joiner_, text);
    return text;
  }

  std::string finish() override {
    std::string text;
    joiner_.finish(text);
    return text;
  }

 private:
  const TextTokenizer& tokenizer_;
  bool skip_special_tokens_;
  TextJoiner joiner_;
};

std::unique_ptr<DecodingStream> TextTokenizer::stream(bool skip_special_tokens) const {
  return std::make_unique<Stream>(*this, skip_special_tokens);
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
  std::string line =
      "BPE, " + std::to_string(known) + " tokens (" + std::to_string(parts_.added.size()) + " added), ";
  line += parts_.model.options().late_fallback ? "merged by scores"
                                               : std::to_string(parts_.model.merge_count()) + " merges";
  return line + ", pre-tokenizer " + (splitting.empty() ? "none" : splitting);
}

}  // namespace mla
