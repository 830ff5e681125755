// Remembers the tokens of short words. Text repeats its words, and a look here is far cheaper than merging
// again.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "mla/tokenizer.h"
#include "tokenizer/hash.h"

namespace mla {

/// Bounded: a word has one place and displaces what stood there. For one thread at a time. It begins small, for short
/// texts, and grows once.
class WordCache {
 public:
  static constexpr std::size_t kMostBytes = 30;
  static constexpr std::size_t kMostIds = 8;

  struct Entry {
    std::uint8_t length = 0;  ///< 0: nothing here; no word is empty.
    std::uint8_t count = 0;
    std::array<char, kMostBytes> bytes;
    std::array<TokenId, kMostIds> ids;
  };
  static_assert(sizeof(Entry) == 64);

  /// The place of `word`, which has 1 to kMostBytes bytes; whether it holds the word, `holds` says. Good until the next
  /// call.
  Entry& place(std::string_view word) {
    if (looks_ < kFew && ++looks_ == kFew) entries_ = std::vector<Entry>(kEntries);
    return entries_[static_cast<std::size_t>(hash_bytes(word)) & (entries_.size() - 1)];
  }

  static bool holds(const Entry& entry, std::string_view word) {
    return entry.length == word.size() && std::memcmp(entry.bytes.data(), word.data(), word.size()) == 0;
  }

  static void store(Entry& entry, std::string_view word, std::span<const TokenId> ids) {
    if (ids.size() > kMostIds) return;
    entry.length = static_cast<std::uint8_t>(word.size());
    entry.count = static_cast<std::uint8_t>(ids.size());
    std::memcpy(entry.bytes.data(), word.data(), word.size());
    std::copy(ids.begin(), ids.end(), entry.ids.begin());
  }

 private:
  static constexpr std::size_t kFew = std::size_t{1} << 8;
  static constexpr std::size_t kEntries = std::size_t{1} << 15;
  std::vector<Entry> entries_ = std::vector<Entry>(kFew);
  std::size_t looks_ = 0;
};

}  // namespace mla
