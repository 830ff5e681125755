// The tokenizer that all vocabularies become, whichever file they come from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mla/tokenizer.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/bpe.h"
#include "tokenizer/decoder.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/scratch_pool.h"
#include "tokenizer/text_joiner.h"

namespace mla {

struct TokenizerParts {
  std::string file;                              ///< For errors.
  std::unique_ptr<const Normalizer> normalizer;  ///< May be null.
  PreTokenization pre_tokenization;
  Bpe model;
  std::vector<AddedToken> added;
  PostProcessor post_processor;
  TokenDecoder decoder;
};

class TextTokenizer final : public Tokenizer {
 public:
  explicit TextTokenizer(TokenizerParts parts);

  std::vector<TokenId> encode(std::string_view text, bool add_special_tokens) const override;
  std::string decode(std::span<const TokenId> ids, bool skip_special_tokens) const override;
  std::unique_ptr<DecodingStream> stream(bool skip_special_tokens) const override;
  std::string token_bytes(TokenId id, bool skip_special_tokens) const override;
  std::size_t vocab_size() const override { return tokens_.size(); }
  std::optional<TokenId> id_of(std::string_view token) const override;
  bool is_special(TokenId id) const override;
  std::string describe() const override;

 private:
  class Stream;
  struct Token {
    std::string bytes;  ///< What it decodes to within a text.
    bool is_byte = false;
    bool known = false;
    bool special = false;
  };

  void index_tokens();
  void index_added();
  /// Takes what it makes of the piece from what `growth` has left.
  std::string normalize(std::string_view piece, RegexScratch& scratch, TextGrowth& growth) const;
  void set_token(TokenId id, std::string_view spelling, bool special);
  const Token& token(TokenId id) const;
  void decode_token(TokenId id, bool skip_special_tokens, TextJoiner& joiner, std::string& text) const;
  DecodedToken decode_first(TokenId id) const;

  // `at_start`: the text begins where the whole text does.
  void encode_valid(std::string_view text, EncodeScratch& scratch, std::vector<TokenId>& ids) const;
  void encode_plain(std::string_view text, bool at_start, EncodeScratch& scratch,
                    std::vector<TokenId>& ids) const;
  void encode_normalized(std::string_view text, bool at_start, EncodeScratch& scratch,
                         std::vector<TokenId>& ids) const;

  TokenizerParts parts_;
  std::vector<Token> tokens_;  ///< By id.
  /// Of parts_.added, in their order: one that is looked for in normalized text is itself normalized, in decoding too.
  std::vector<std::string> added_forms_;
  AddedTokenMatcher raw_matcher_;         ///< Of the tokens looked for in the text as it comes.
  AddedTokenMatcher normalized_matcher_;  ///< Of those looked for in the normalized text.
  mutable ScratchPool scratches_;
};

}  // namespace mla
