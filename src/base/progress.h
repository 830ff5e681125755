// A progress bar on stderr for work that takes a while.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace mla {

/// Draws only if stderr is a terminal, at most ten times a second and not before a short while has passed,
/// and wipes its line when it ends: quick work shows nothing, logs stay clean.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(std::size_t done, std::size_t total);
  void clear();  ///< Wipes what is drawn.

 private:
  using Clock = std::chrono::steady_clock;

  std::string label_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point next_;
};

}  // namespace mla
