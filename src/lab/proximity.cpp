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

/// The mean of both directions at a distance.
double mean_at(const Proximity& phi, std::size_t distance) {
  const std::size_t pairs = phi.count - distance;
  double sum = 0.0;
  for (std::size_t m = 0; m < pairs; ++m) sum += (phi.at(m, m + distance) + phi.at(m + distance, m)) / 2.0;
  return sum / static_cast<double>(pairs);
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
  std::size_t falls = 0;
  double before = mean_at(phi, 0);
  for (std::size_t distance = 1; distance < phi.count; ++distance) {
    const double mean = mean_at(phi, distance);
    const bool fell = mean < before - rounding;
    if (fell && falls + 1 == distance) result.falls_until = distance;
    falls += fell ? 1 : 0;
    before = mean;
  }
  result.monotonicity = static_cast<double>(falls) / static_cast<double>(phi.count - 1);
  return result;
}

}  // namespace mla::lab
