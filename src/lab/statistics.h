// How sure a mean over training seeds is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lab/trained_result.h"

namespace mla::lab {

/// The t with P(|T| < t) = confidence for Student's distribution. `confidence` lies between 0 and 1, both
/// excluded, and there is at least one degree of freedom.
double student_t(double confidence, std::size_t degrees_of_freedom);

/// A mean with half the width of its confidence interval.
struct Interval {
  double mean = 0.0;
  double half_width = 0.0;
};

/// Student's interval (1908): mean +- t s / sqrt(n), s^2 the variance over n - 1. Throws Error(argument) for
/// fewer than two values.
Interval mean_interval(std::span<const double> values, double confidence);

/// What the models trained with one seed measured.
struct SeedResult {
  std::int64_t seed = 0;
  std::vector<Measures<double>> trained;
};

struct Statistics {
  std::size_t seeds = 0;
  double confidence = 0.95;
  std::vector<Measures<Interval>> rows;
};

/// Intervals over at least two seeds of all that the first seed has. Throws Error(mismatch) if another one
/// lacks it.
Statistics statistics_of(std::span<const SeedResult> seeds, double confidence = 0.95);

}  // namespace mla::lab
