#include "runtime/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace mla {

std::string StopMatcher::push(std::string_view piece) {
  if (stopped_) return {};
  held_ += piece;
  std::size_t found = std::string::npos;
  std::size_t may_begin = held_.size();  // From here on the text may be the beginning of a stop string.
  for (const std::string& stop : stops_) {
    if (stop.empty()) continue;
    found = std::min(found, held_.find(stop));
    const std::size_t longest = std::min(stop.size() - 1, held_.size());
    for (std::size_t length = longest; length > 0; --length)
      if (held_.ends_with(std::string_view(stop).substr(0, length))) {
        may_begin = std::min(may_begin, held_.size() - length);
        break;
      }
  }
  if (found != std::string::npos) {
    stopped_ = true;
    may_begin = found;
  }
  std::string certain = held_.substr(0, may_begin);
  held_.erase(0, stopped_ ? held_.size() : may_begin);
  return certain;
}

std::string StopMatcher::finish() {
  return std::exchange(held_, {});
}

}  // namespace mla
