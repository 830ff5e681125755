// A mean and how sure it is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace mla {

/// Of values taken as independent.
class Moments {
 public:
  void add(double value) {
    ++count_;
    sum_ += value;
    squares_ += value * value;
  }

  std::size_t count() const { return count_; }
  double mean() const { return sum_ / static_cast<double>(count_); }
  /// Of the mean; 0 for a single value.
  double standard_error() const {
    if (count_ < 2) return 0.0;
    const double n = static_cast<double>(count_);
    return std::sqrt(std::max(0.0, squares_ / n - mean() * mean()) / (n - 1.0));
  }

 private:
  std::size_t count_ = 0;
  double sum_ = 0.0;
  double squares_ = 0.0;
};

}  // namespace mla
