#include "runtime/text_windows.h"

#include <algorithm>
#include <string>

#include "mla/error.h"

namespace mla {

TextWindows::TextWindows(std::span<const TokenId> ids, std::size_t context, TokenId bos)
    : ids_(ids), bos_(bos) {
  if (context < 2)
    throw Error(ErrorCode::argument, "", "context",
                "found " + std::to_string(context) + ", expected at least 2");
  if (ids.size() < 2)
    throw Error(ErrorCode::argument, "", "text",
                "found " + std::to_string(ids.size()) + " tokens, expected at least 2");
  const bool one_window = ids.size() < context;
  width_ = std::min(context, ids.size());
  count_ = ids.size() / width_;
  first_scored_ = one_window ? 1 : std::max<std::size_t>(1, width_ / 2);
}

std::vector<TokenId> TextWindows::window(std::size_t index) const {
  const std::span<const TokenId> ids = ids_.subspan(index * width_, width_);
  std::vector<TokenId> window(ids.begin(), ids.end());
  if (bos_ >= 0 && index > 0) window.front() = bos_;
  return window;
}

}  // namespace mla
