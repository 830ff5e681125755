#include "lab/proximity.h"

#include <algorithm>
#include <cmath>

namespace mla::lab {
namespace {

constexpr double kRounding = 1e-6;  ///< Of float32 sums, relative to the largest value.

double largest(const Proximity& phi) {
  double size = 0.0;
  for (const double value : phi.values) size = std::max(size, std::abs(value));
  return size;
}

/// The sum of the squared deviations of phi from its mean, over the pairs n - m = offset.
double deviations_at(const Proximity& phi, std::size_t offset, bool transposed) {
  const auto at = [&](std::size_t m) { return transposed ? phi.at(m + offset, m) : phi.at(m, m + offset); };
  const std::size_t pairs = phi.count - offset;
  double mean = 0.0;
  for (std::size_t m = 0; m < pairs; ++m) mean += at(m) / static_cast<double>(pairs);
  double sum = 0.0;
  for (std::size_t m = 0; m < pairs; ++m) sum += (at(m) - mean) * (at(m) - mean);
  return sum;
}

double translation_invariance(const Proximity& phi) {
  const double cells = static_cast<double>(phi.values.size());
  double mean = 0.0;
  for (const double value : phi.values) mean += value / cells;
  double all = 0.0;
  for (const double value : phi.values) all += (value - mean) * (value - mean);
  const double size = largest(phi) * kRounding;
  if (all <= size * size * cells) return 1.0;
  double within = deviations_at(phi, 0, false);
  for (std::size_t offset = 1; offset < phi.count; ++offset)
    within += deviations_at(phi, offset, false) + deviations_at(phi, offset, true);
  return 1.0 - within / all;
}

double symmetry(const Proximity& phi) {
  double all = 0.0;
  double difference = 0.0;
  for (std::size_t m = 0; m < phi.count; ++m)
    for (std::size_t n = 0; n < phi.count; ++n) {
      all += phi.at(m, n) * phi.at(m, n);
      difference += (phi.at(m, n) - phi.at(n, m)) * (phi.at(m, n) - phi.at(n, m));
    }
  return all == 0.0 ? 1.0 : 1.0 - std::sqrt(difference / all) / 2.0;
}

/// Of the steps to `distance` from the one before it: how many there are, and over how many phi falls.
struct Steps {
  std::size_t count = 0;
  std::size_t falls = 0;
};

Steps steps_to(const Proximity& phi, std::size_t distance, double rounding) {
  Steps steps;
  const auto add = [&](double before, double after) {
    ++steps.count;
    steps.falls += after < before - rounding ? 1 : 0;
  };
  for (std::size_t m = 0; m + distance < phi.count; ++m) {
    add(phi.at(m, m + distance - 1), phi.at(m, m + distance));
    const std::size_t from_right = phi.count - 1 - m;
    add(phi.at(from_right, from_right - distance + 1), phi.at(from_right, from_right - distance));
  }
  return steps;
}

}  // namespace

std::vector<DistanceSummary> by_distance(const Proximity& phi) {
  std::vector<DistanceSummary> result(phi.count);
  for (std::size_t distance = 0; distance < phi.count; ++distance) {
    DistanceSummary& summary = result[distance];
    summary = {0.0, phi.at(0, distance), phi.at(0, distance)};
    for (std::size_t m = 0; m + distance < phi.count; ++m) {
      const double value = phi.at(m, m + distance);
      summary.mean += value / static_cast<double>(phi.count - distance);
      summary.least = std::min(summary.least, value);
      summary.greatest = std::max(summary.greatest, value);
    }
  }
  return result;
}

ProximityProperties properties_of(const Proximity& phi) {
  ProximityProperties result;
  result.translation_invariance = translation_invariance(phi);
  result.symmetry = symmetry(phi);
  if (phi.count < 2) return result;
  const double rounding = largest(phi) * kRounding;
  Steps all;
  for (std::size_t distance = 1; distance < phi.count; ++distance) {
    const Steps steps = steps_to(phi, distance, rounding);
    all.count += steps.count;
    all.falls += steps.falls;
    if (all.falls == all.count) result.falls_until = distance;
  }
  result.monotonicity = static_cast<double>(all.falls) / static_cast<double>(all.count);
  return result;
}

}  // namespace mla::lab
