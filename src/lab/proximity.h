// How near positions are to each other in an encoding, and the three properties that Wang et al. ask of it (ICLR 2021,
// "On Position Embeddings in BERT", section 3): for a proximity phi(m, n) of two positions
//   translation invariance   phi(m, n) depends on n - m alone
//   monotonicity             phi falls as |n - m| grows
//   symmetry                 phi(m, n) = phi(n, m)
// They define them as properties that hold or do not. The numbers here say how far they hold, each 1 where they do.
#pragma once

#include <cstddef>
#include <vector>

namespace mla::lab {

/// phi(m, n) of `count` positions, row by row.
struct Proximity {
  std::size_t count = 0;
  std::vector<double> values;

  double at(std::size_t m, std::size_t n) const { return values[m * count + n]; }
};

/// What phi is at one distance, over all pairs n - m = distance >= 0.
struct DistanceSummary {
  double mean = 0.0;
  double least = 0.0;
  double greatest = 0.0;
};

/// One a distance, 0 to count - 1.
std::vector<DistanceSummary> by_distance(const Proximity& phi);

struct ProximityProperties {
  /// 1 - V_within / V, V = variance of all phi(m, n), V_within = mean of the squared deviations from the mean of
  /// the same n - m: the share of the variance that the best Toeplitz matrix explains, as in Wennberg and Henter
  /// (ACL 2021, "The Case for Translation-Invariant Self-Attention", section 3). 1 if nothing varies at all.
  double translation_invariance = 1.0;

  /// Of all steps from phi(m, n) to phi(m, n') with n' the next position further away from m, on either side, the
  /// share over which phi falls. A step within the rounding of float32 is no fall.
  double monotonicity = 0.0;
  std::size_t falls_until = 0;  ///< The greatest distance up to which every step falls.

  /// 1 - |P - P^T| / (2 |P|), Frobenius norms: 0 for an antisymmetric matrix. 1 if P is 0.
  double symmetry = 1.0;
};

/// `phi` has at least one position.
ProximityProperties properties_of(const Proximity& phi);

}  // namespace mla::lab
