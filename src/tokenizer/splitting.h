// What becomes of the delimiters when text is split at them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/function_ref.h"

namespace mla {

enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// Takes the stretches of a text from left to right and passes the words on that `behavior` makes of them.
class Splitting {
 public:
  Splitting(std::string_view text, SplitBehavior behavior, FunctionRef<void(std::string_view)> sink)
      : text_(text), behavior_(behavior), sink_(sink) {}

  void add(std::size_t begin, std::size_t end, bool is_delimiter) {
    if (behavior_ == SplitBehavior::isolated) return emit(begin, end);
    if (behavior_ == SplitBehavior::removed) {
      if (!is_delimiter) emit(begin, end);
      return;
    }
    stretches_.push_back({begin, end, is_delimiter});
  }

  void finish();

 private:
  struct Stretch {
    std::size_t begin;
    std::size_t end;
    bool is_delimiter;
  };

  void emit(std::size_t begin, std::size_t end) const {
    if (begin != end) sink_(text_.substr(begin, end - begin));
  }
  void finish_forwards();
  void finish_backwards();

  std::string_view text_;
  SplitBehavior behavior_;
  FunctionRef<void(std::string_view)> sink_;
  std::vector<Stretch> stretches_;
};

}  // namespace mla
