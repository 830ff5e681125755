// Finds stop strings in text that arrives in pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mla {

class StopMatcher {
 public:
  /// Empty stop strings match nothing.
  explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Takes the next piece; returns the text that is certain to stand before any stop string. Once `stopped`,
  /// no more.
  std::string push(std::string_view piece);

  /// What was held back because a stop string might have begun with it.
  std::string finish();

  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace mla
