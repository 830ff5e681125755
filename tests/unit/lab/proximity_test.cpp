// The properties of a proximity matrix, on matrices for which they are known.
#include "lab/proximity.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace mla::lab;

namespace {

template <typename Phi>
Proximity matrix(std::size_t count, Phi phi) {
  Proximity result{.count = count, .values = {}};
  for (std::size_t m = 0; m < count; ++m)
    for (std::size_t n = 0; n < count; ++n)
      result.values.push_back(phi(static_cast<double>(m), static_cast<double>(n)));
  return result;
}

}  // namespace

TEST_CASE("proximity: what falls with distance alone has all three properties", "[lab]") {
  const ProximityProperties result =
      properties_of(matrix(20, [](double m, double n) { return -std::abs(m - n); }));
  CHECK(result.translation_invariance == Approx(1.0));
  CHECK(result.monotonicity == 1.0);
  CHECK(result.falls_until == 19);
  CHECK(result.symmetry == 1.0);
}

TEST_CASE("proximity: translation invariance is the variance a Toeplitz matrix explains", "[lab]") {
  // Position 0 against 0 is 1, everything else 0: the diagonal's mean is 1/2, the best Toeplitz matrix has that.
  // Variance of the four values: 4 * mean of squares - ... = 3/16; within: (1/4 + 1/4) / 4 = 1/8.
  const Proximity phi{.count = 2, .values = {1.0, 0.0, 0.0, 0.0}};
  CHECK(properties_of(phi).translation_invariance == Approx(1.0 - (1.0 / 8.0) / (3.0 / 16.0)));
}

TEST_CASE("proximity: the product of two positions falls on one side and rises on the other", "[lab]") {
  const ProximityProperties result = properties_of(matrix(10, [](double m, double n) { return m * n; }));
  // 45 steps on either side; to the left of m all but those of m = 0 fall, of which there are none; to the right
  // none falls.
  CHECK(result.monotonicity == Approx(0.5));
  CHECK(result.falls_until == 0);
  CHECK(result.symmetry == 1.0);
  CHECK(result.translation_invariance < 0.5);
}

TEST_CASE("proximity: an antisymmetric matrix has symmetry 0, half of one less than 1", "[lab]") {
  CHECK(properties_of(matrix(8, [](double m, double n) { return m - n; })).symmetry ==
        Approx(0.0).margin(1e-12));
  // P = [[0, 1], [0, 0]]: |P - P^T| = sqrt(2), |P| = 1.
  CHECK(properties_of({.count = 2, .values = {0.0, 1.0, 0.0, 0.0}}).symmetry ==
        Approx(1.0 - std::sqrt(2.0) / 2.0));
}

TEST_CASE("proximity: a wave falls until it turns", "[lab]") {
  const ProximityProperties result =
      properties_of(matrix(32, [](double m, double n) { return std::cos((m - n) * std::acos(-1.0) / 8.0); }));
  CHECK(result.falls_until == 8);
  CHECK(result.translation_invariance == Approx(1.0));
}

TEST_CASE("proximity: where nothing varies nothing falls, and one position is no trouble", "[lab]") {
  const ProximityProperties flat = properties_of(matrix(5, [](double, double) { return 0.0; }));
  CHECK(flat.translation_invariance == 1.0);
  CHECK(flat.monotonicity == 0.0);
  CHECK(flat.symmetry == 1.0);
  CHECK(properties_of({.count = 1, .values = {3.0}}).symmetry == 1.0);
}

TEST_CASE("proximity: mean, least and greatest at a distance", "[lab]") {
  const auto summary = by_distance(matrix(4, [](double m, double n) { return m * n; }));
  REQUIRE(summary.size() == 4);
  CHECK(summary[1].mean == Approx((0.0 + 2.0 + 6.0) / 3.0));
  CHECK(summary[1].least == 0.0);
  CHECK(summary[1].greatest == 6.0);
  CHECK(summary[0].mean == Approx(14.0 / 4.0));
}
