// Which pairs of tokens merge, into what, and in which order.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "mla/tokenizer.h"
#include "tokenizer/hash.h"

namespace mla {

/// A merge as one number: the rank above, the merged token below. The smaller rank is the merge to do first; of equal
/// ranks (SentencePiece's scores may be equal) the leftmost.
using Merge = std::uint64_t;
inline constexpr Merge kNoMerge = UINT64_MAX;

inline std::uint32_t merge_rank(Merge merge) {
  return static_cast<std::uint32_t>(merge >> 32);
}

inline TokenId merged_token(Merge merge) {
  return static_cast<TokenId>(merge & 0xFFFFFFFFu);
}

class MergeTable {
 public:
  void reserve(std::size_t merges) {
    slots_.assign(std::bit_ceil(merges * 2 + 16), Slot{kFree, kNoMerge});
    shift_ = 64 - std::countr_zero(slots_.size());
  }

  /// A pair that stands twice keeps its later rank. `reserve` must have made room.
  void add(TokenId left, TokenId right, std::uint32_t rank, TokenId merged) {
    Slot& slot = slots_[slot_of(key(left, right))];
    if (slot.key == kFree) ++count_;
    slot = {key(left, right), std::uint64_t{rank} << 32 | static_cast<std::uint32_t>(merged)};
  }

  Merge find(TokenId left, TokenId right) const { return slots_[slot_of(key(left, right))].merge; }
  std::size_t size() const { return count_; }

 private:
  static constexpr std::uint64_t kFree = UINT64_MAX;  // No pair: ids are not negative.
  struct Slot {
    std::uint64_t key;
    Merge merge;
  };

  static std::uint64_t key(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }

  std::size_t slot_of(std::uint64_t wanted) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>((wanted ^ wanted >> 29) * 0x9E3779B97F4A7C15u >> shift_);
    while (slots_[slot].key != wanted && slots_[slot].key != kFree) slot = (slot + 1) & mask;
    return slot;
  }

  std::vector<Slot> slots_ = std::vector<Slot>(16, Slot{kFree, kNoMerge});
  int shift_ = 60;
  std::size_t count_ = 0;
};

}  // namespace mla
