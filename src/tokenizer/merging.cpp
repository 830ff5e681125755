#include <algorithm>

#include "tokenizer/bpe.h"

namespace mla {
namespace {

// Below this many symbols looking for the best pair again and again beats keeping a heap.
constexpr std::size_t kShortWord = 40;

void merge_short(const MergeTable& merges, std::vector<TokenId>& symbols, std::vector<Merge>& pairs) {
  std::size_t last = symbols.size() - 1;
  pairs.resize(last);
  for (std::size_t i = 0; i < last; ++i) pairs[i] = merges.find(symbols[i], symbols[i + 1]);
  while (last > 0) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < last; ++i)
      if (merge_rank(pairs[i]) < merge_rank(pairs[best])) best = i;
    if (pairs[best] == kNoMerge) break;
    symbols[best] = merged_token(pairs[best]);
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 2,
              symbols.begin() + static_cast<std::ptrdiff_t>(last) + 1,
              symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    std::copy(pairs.begin() + static_cast<std::ptrdiff_t>(best) + 1,
              pairs.begin() + static_cast<std::ptrdiff_t>(last),
              pairs.begin() + static_cast<std::ptrdiff_t>(best));
    --last;
    if (best > 0) pairs[best - 1] = merges.find(symbols[best - 1], symbols[best]);
    if (best < last) pairs[best] = merges.find(symbols[best], symbols[best + 1]);
  }
  symbols.resize(last + 1);
}

/// A word as a doubly linked list, and a heap of the merges that may still be due: n log n for any word.
class LongMerge {
 public:
  LongMerge(const MergeTable& merges, BpeScratch& scratch)
      : merges_(merges), chain_(scratch.chain), heap_(scratch.heap) {}

  void run(const std::vector<TokenId>& symbols, std::vector<TokenId>& ids) {
    link(symbols);
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), after);
      const BpeScratch::Candidate candidate = heap_.back();
      heap_.pop_back();
      apply(candidate);
    }
    for (std::int32_t at = 0; at >= 0; at = symbol(at).next) ids.push_back(symbol(at).id);
  }

 private:
  // Lowest rank first; of equal ones the leftmost.
  static bool after(const BpeScratch::Candidate& a, const BpeScratch::Candidate& b) {
    const std::uint32_t ranks[] = {merge_rank(a.merge), merge_rank(b.merge)};
    return ranks[0] != ranks[1] ? ranks[0] > ranks[1] : a.at > b.at;
  }

  BpeScratch::Symbol& symbol(std::int32_t at) { return chain_[static_cast<std::size_t>(at)]; }

  Merge merge_at(std::int32_t at) {
    const std::int32_t next = symbol(at).next;
    return next < 0 ? kNoMerge : merges_.find(symbol(at).id, symbol(next).id);
  }

  void link(const std::vector<TokenId>& symbols) {
    const auto count = static_cast<std::int32_t>(symbols.size());
    chain_.clear();
    heap_.clear();
    for (std::int32_t i = 0; i < count; ++i)
      chain_.push_back({symbols[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1, false});
    for (std::int32_t i = 0; i < count; ++i)
      if (const Merge merge = merge_at(i); merge != kNoMerge) heap_.push_back({merge, i});
    std::make_heap(heap_.begin(), heap_.end(), after);
  }

  void apply(const BpeScratch::Candidate& candidate) {
    BpeScratch::Symbol& left = symbol(candidate.at);
    if (left.dead) return;
    // The neighbours may have changed since; what counts is whether they still merge into the same token.
    const Merge now = merge_at(candidate.at);
    if (now == kNoMerge || merged_token(now) != merged_token(candidate.merge)) return;
    BpeScratch::Symbol& right = symbol(left.next);
    right.dead = true;
    left.id = merged_token(candidate.merge);
    left.next = right.next;
    if (left.next >= 0) symbol(left.next).previous = candidate.at;
    if (left.previous >= 0) propose(left.previous);
    propose(candidate.at);
  }

  void propose(std::int32_t at) {
    const Merge merge = merge_at(at);
    if (merge == kNoMerge) return;
    heap_.push_back({merge, at});
    std::push_heap(heap_.begin(), heap_.end(), after);
  }

  const MergeTable& merges_;
  std::vector<BpeScratch::Symbol>& chain_;
  std::vector<BpeScratch::Candidate>& heap_;
};

}  // namespace

void merge_symbols(const MergeTable& merges, BpeScratch& scratch, std::vector<TokenId>& ids) {
  if (scratch.symbols.size() > kShortWord) return LongMerge(merges, scratch).run(scratch.symbols, ids);
  if (scratch.symbols.size() > 1) merge_short(merges, scratch.symbols, scratch.merges);
  ids.insert(ids.end(), scratch.symbols.begin(), scratch.symbols.end());
}

}  // namespace mla
