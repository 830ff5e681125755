// How a text is cut up to be scored.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mla/tokenizer.h"

namespace mla {

/// Windows of `context` tokens whose first half is given and whose second half is scored, as `perplexity` says.
class TextWindows {
 public:
  /// Throws Error(argument) for fewer than two tokens or a context below 2. `ids` stay the caller's.
  TextWindows(std::span<const TokenId> ids, std::size_t context, TokenId bos);

  std::size_t count() const { return count_; }
  std::size_t width() const { return width_; }
  /// The first token of a window that is scored, and with it all behind it; at least 1.
  std::size_t first_scored() const { return first_scored_; }
  std::vector<TokenId> window(std::size_t index) const;

  /// Calls body(row, target) for those of `rows` rows of logits, the first of which is after token `first` of
  /// `window`, whose next token is scored; `row` counts from `first`.
  template <typename Body>
  void for_scored(std::span<const TokenId> window, std::size_t first, std::size_t rows, Body body) const {
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t next = first + row + 1;
      if (next >= first_scored_ && next < window.size()) body(row, window[next]);
    }
  }

 private:
  std::span<const TokenId> ids_;
  TokenId bos_;
  std::size_t width_;
  std::size_t count_;
  std::size_t first_scored_;
};

}  // namespace mla
