// Byte-pair encoding: a word's characters, merged pair by pair in the order the vocabulary gives.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "mla/tokenizer.h"
#include "tokenizer/merge_list.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_cache.h"

namespace mla {

/// What encoding words writes into; one a thread.
struct BpeScratch {
  struct Symbol {
    TokenId id;
    std::int32_t previous;  ///< -1 at the ends.
    std::int32_t next;
    bool dead;
  };
  struct Candidate {
    Merge merge;
    std::int32_t at;
  };

  WordCache cache;
  std::vector<TokenId> symbols;
  std::vector<Merge> merges;
  std::vector<Symbol> chain;
  std::vector<Candidate> heap;
};

struct BpeOptions {
  std::optional<std::string> unk_token;
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;  ///< A word that is a token is that token, whatever the merges say.
  bool byte_level = false;     ///< Words come as bytes; the vocabulary spells them as byte_level.h does.
  /// SentencePiece's way: a character without a token may still be merged with its neighbours; only what is left of
  /// such characters in the end becomes bytes. Needs tokens for all bytes.
  bool late_fallback = false;
};

/// What byte fallback calls a byte: "<0x0A>".
std::string fallback_name(std::size_t byte);

/// A character without a token, as a symbol of merges.
constexpr TokenId character_symbol(char32_t character) {
  return kMostTokens + static_cast<TokenId>(character);
}

class Bpe {
 public:
  Bpe(Vocabulary vocabulary, MergeTable merges, BpeOptions options, std::string file);

  /// The object `model` of tokenizer.json, whose `vocab` and `merges` were read on their own. Throws
  /// Error(format, unsupported).
  static Bpe from_json(const JsonField& model, Vocabulary vocabulary, const MergeList& merges,
                       bool byte_level);

  /// Appends the tokens of `word`, which is not empty.
  void encode_word(std::string_view word, BpeScratch& scratch, std::vector<TokenId>& ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::size_t merge_count() const { return merges_.size(); }
  const BpeOptions& options() const { return options_; }

 private:
  void encode_uncached(std::string_view word, BpeScratch& scratch, std::vector<TokenId>& ids) const;
  bool start_with_bytes(std::string_view word, std::vector<TokenId>& symbols) const;
  void start_with_characters(std::string_view word, std::vector<TokenId>& symbols) const;
  void start_with_symbols(std::string_view word, std::vector<TokenId>& symbols) const;
  bool start_with_fallback(std::string_view character, std::vector<TokenId>& symbols) const;
  void spell_symbols(std::size_t begin, std::vector<TokenId>& ids) const;
  TokenId unknown() const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  BpeOptions options_;
  std::string file_;
  std::array<TokenId, 256> byte_ids_;  ///< Of the byte's visible character; -1 where the vocabulary lacks it.
  std::array<TokenId, 256> fallback_ids_;  ///< Of "<0x00>" and so on.
};

/// Merges the symbols until no two neighbours merge; appends the result.
void merge_symbols(const MergeTable& merges, BpeScratch& scratch, std::vector<TokenId>& ids);

}  // namespace mla
