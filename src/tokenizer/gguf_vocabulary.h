// The vocabulary that lies in a GGUF file's metadata, `tokenizer.ggml.*`.
// Source of the keys and of what they mean: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and llama.cpp,
// src/llama-vocab.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/text_tokenizer.h"
#include "tokenizer/vocabulary.h"

namespace mla {

inline constexpr std::string_view kGgufTokens = "tokenizer.ggml.tokens";
inline constexpr std::string_view kGgufScores = "tokenizer.ggml.scores";
inline constexpr std::string_view kGgufTokenTypes = "tokenizer.ggml.token_type";
inline constexpr std::string_view kGgufMerges = "tokenizer.ggml.merges";
inline constexpr std::string_view kGgufPre = "tokenizer.ggml.pre";

/// With scores every place in a token is looked at: bounds on the bytes of a token, on the sum of their squares over all
/// tokens, which is the work, and on the pairs that are found. No vocabulary comes anywhere near them; one of 256,000
/// tokens has some 30 million and 600,000.
inline constexpr std::size_t kLongestScoredToken = 1024;
inline constexpr std::uint64_t kMostScoredWork = 2'000'000'000;
inline constexpr std::size_t kMostScoredPairs = 4'000'000;

/// The numbers of token types as they stand in the file.
enum class GgufTokenType : std::uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

/// All tokens of the file by id, checked: of valid UTF-8, at most kMostTokens, each with a type.
struct GgufVocabulary {
  const GgufFile* file;
  const GgufValue::Strings* tokens;
  std::vector<GgufTokenType> types;

  /// Throws Error(format) that names file and key.
  explicit GgufVocabulary(const GgufFile& file);

  /// A table of them. Empty tokens are left out, and unused ones if `fillers`: converters fill ids without a token
  /// with them. Throws Error(format) if a token stands twice.
  Vocabulary table(bool fillers) const;

  /// Control, unknown and user-defined tokens: they are looked for in the text first. The first two are special.
  std::vector<AddedToken> added() const;

  /// What the keys for BOS and EOS ask for. `add_bos` and `bos` (-1: none) hold where the file says nothing.
  PostProcessor post_processor(bool add_bos, TokenId bos, TokenId eos) const;

  std::string place(std::string_view key, std::size_t index) const;

 private:
  void append_marker(std::string_view add_key, std::string_view id_key, bool wanted, TokenId otherwise,
                     std::vector<TokenId>& ids) const;
};

/// `tokenizer.ggml.model` = "gpt2": byte-level BPE with merges and one of the known pre-tokenizers.
TokenizerParts read_gguf_byte_level(const GgufVocabulary& vocabulary);

/// `tokenizer.ggml.model` = "llama": SentencePiece's BPE, whose merges follow from the tokens' scores.
TokenizerParts read_gguf_scored(const GgufVocabulary& vocabulary);

/// Either of them, as the file says. Throws Error(format), Error(unsupported).
TokenizerParts read_gguf_tokenizer(const GgufFile& file);

}  // namespace mla
