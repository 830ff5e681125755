#include "tokenizer/splitting.h"

namespace mla {

void Splitting::finish() {
  if (stretches_.empty()) return;
  if (behavior_ == SplitBehavior::merged_with_next)
    finish_backwards();
  else
    finish_forwards();
}

// Contiguous: stretches of one kind grow together. MergedWithPrevious: a delimiter joins the stretch before
// it, unless that is a delimiter too. The first stretch always begins a word.
void Splitting::finish_forwards() {
  std::size_t begin = stretches_.front().begin;
  std::size_t end = begin;
  bool previous = false;
  for (const Stretch& stretch : stretches_) {
    const bool joins = behavior_ == SplitBehavior::contiguous ? stretch.is_delimiter == previous
                                                              : stretch.is_delimiter && !previous;
    if (!joins) {
      emit(begin, end);
      begin = stretch.begin;
    }
    end = stretch.end;
    previous = stretch.is_delimiter;
  }
  emit(begin, end);
}

void Splitting::finish_backwards() {
  // Mark where words begin, from the right: a delimiter joins the stretch after it, unless that is a
  // delimiter too.
  std::vector<std::size_t> begins;
  bool next = false;
  for (std::size_t i = stretches_.size(); i-- > 0;) {
    const bool joins = stretches_[i].is_delimiter && !next && !begins.empty();
    if (joins)
      begins.back() = stretches_[i].begin;
    else
      begins.push_back(stretches_[i].begin);
    next = stretches_[i].is_delimiter;
  }
  for (std::size_t i = begins.size(); i-- > 0;)
    emit(begins[i], i > 0 ? begins[i - 1] : stretches_.back().end);
}

}  // namespace mla
