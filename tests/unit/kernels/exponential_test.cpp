// silu_multiply and softmax, and through them the exponential, against double arithmetic.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "kernels/kernels.h"
#include "rounding.h"

using namespace mla;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

/// The relative error that the kernels promise for e^x, and the smallest e^x they give.
constexpr double kExponentialError = 2e-7;
constexpr double kSmallestExponential = 1.2e-38;

double exact_silu(double v) {
  return v / (1.0 + std::exp(-v));
}

/// silu_multiply's relative error: the exponential's, then a sum, a quotient and a product, each rounded.
constexpr double kSiluError = kExponentialError + 3.1 * kRoundoff;

std::vector<float> softmax_of(const Kernels& kernels, std::vector<float> x) {
  x.push_back(5.0F);
  kernels.softmax(x.data(), x.size() - 1);
  REQUIRE(x.back() == 5.0F);  // Nothing behind the end is touched.
  x.pop_back();
  return x;
}

/// How far `found` is from the softmax of x, in units of what rounding allows.
///
/// With d_i = top - x_i: computing d_i rounds once, which moves e^-d_i by a relative d_i u; the exponential
/// adds kExponentialError. The sum of n terms adds gamma_(n - 1) to the mean of its terms' errors, weighted
/// with the terms, that is with the softmax itself; the reciprocal and the last product round once each.
double softmax_excess(const std::vector<float>& x, const std::vector<float>& found) {
  const double top = static_cast<double>(*std::max_element(x.begin(), x.end()));
  double total = 0.0;
  double weighted_distance = 0.0;
  for (const float value : x) {
    const double distance = top - static_cast<double>(value);
    total += std::exp(-distance);
    weighted_distance += distance * std::exp(-distance);
  }
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double distance = top - static_cast<double>(x[i]);
    const double expected = std::exp(-distance) / total;
    const double relative = 2.0 * kExponentialError + (distance + weighted_distance / total) * kRoundoff +
                            sum_error(x.size() + 1);
    const double bound = distance > 87.3 ? kSmallestExponential : relative * expected;
    worst = std::max(worst, excess(static_cast<double>(found[i]), expected, bound));
  }
  return worst;
}

double total_of(const std::vector<float>& x) {
  double total = 0.0;
  for (const float value : x) total += static_cast<double>(value);
  return total;
}

}  // namespace

TEST_CASE("silu_multiply keeps its relative error from -80 to 80") {
  for (const Kernels* kernels : available_kernels()) {
    std::vector<float> gate;
    for (int i = -80000; i <= 80000; ++i) gate.push_back(static_cast<float>(i) * 1e-3F);
    const std::vector<float> up = random_floats(gate.size(), 3, 0.5, 40.0);
    std::vector<float> y(gate.size());
    kernels->silu_multiply(gate.data(), up.data(), y.data(), y.size());
    double worst = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double expected = exact_silu(static_cast<double>(gate[i])) * static_cast<double>(up[i]);
      worst = std::max(worst, excess(static_cast<double>(y[i]), expected, kSiluError * std::abs(expected)));
    }
    INFO(kernels->name);
    CHECK(worst <= 1.0);
  }
}

TEST_CASE("silu_multiply works for every length and in place") {
  for (const Kernels* kernels : available_kernels())
    for (std::size_t n = 0; n <= 70; ++n) {
      const std::vector<float> gate = random_floats(n, static_cast<unsigned>(n), -6.0, 6.0);
      const std::vector<float> up = random_floats(n, static_cast<unsigned>(n) + 1);
      std::vector<float> y(n + 1, 5.0F);
      std::vector<float> in_place = gate;
      in_place.push_back(5.0F);
      kernels->silu_multiply(gate.data(), up.data(), y.data(), n);
      kernels->silu_multiply(in_place.data(), up.data(), in_place.data(), n);
      double worst = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        const double expected = exact_silu(static_cast<double>(gate[i])) * static_cast<double>(up[i]);
        worst = std::max(worst, excess(static_cast<double>(y[i]), expected, kSiluError * std::abs(expected)));
      }
      INFO(kernels->name << ", n = " << n);
      CHECK(worst <= 1.0);
      CHECK(y[n] == 5.0F);
      CHECK(y == in_place);
    }
}

TEST_CASE("silu_multiply at the ends of float32") {
  for (const Kernels* kernels : available_kernels()) {
    const auto silu = [&](float gate) {
      const std::vector<float> gates(19, gate);  // In whole vectors and behind them.
      const std::vector<float> ones(19, 1.0F);
      std::vector<float> y(19);
      kernels->silu_multiply(gates.data(), ones.data(), y.data(), y.size());
      for (const float value : y) CHECK((value == y[0] || std::isnan(value) == std::isnan(y[0])));
      return y[0];
    };
    INFO(kernels->name);
    CHECK(silu(0.0F) == 0.0F);
    CHECK(silu(-0.0F) == 0.0F);
    for (const float large : {20.0F, 90.0F, 1e4F, 1e30F, kLargest, kInfinity}) CHECK(silu(large) == large);
    for (const float small : {1e-30F, -1e-30F, 1e-38F})
      CHECK(silu(small) == Approx(small / 2.0F).epsilon(1e-6));
    // Below -88 the result is too small to matter; e^88 being the largest power, it stays below |v| / 1e38.
    for (const float v : {-88.0F, -89.0F, -100.0F, -1e4F, -1e10F, -1e20F}) {
      CHECK(silu(v) <= 0.0F);
      CHECK(silu(v) >= v / 1e38F);
    }
    CHECK(std::isnan(silu(kNan)));
  }
}

TEST_CASE("silu_multiply passes NaN on where it stands and nowhere else") {
  for (const Kernels* kernels : available_kernels())
    for (std::size_t at = 0; at < 37; ++at)
      for (const bool in_gate : {true, false}) {
        std::vector<float> gate = random_floats(37, 5);
        std::vector<float> up = random_floats(37, 6);
        (in_gate ? gate : up)[at] = kNan;
        std::vector<float> y(37);
        kernels->silu_multiply(gate.data(), up.data(), y.data(), y.size());
        bool right = true;
        for (std::size_t i = 0; i < y.size(); ++i) right = right && std::isnan(y[i]) == (i == at);
        INFO(kernels->name << ", at " << at << (in_gate ? " of gate" : " of up"));
        CHECK(right);
      }
}

TEST_CASE("The exponential keeps its relative error") {
  for (const Kernels* kernels : available_kernels()) {
    double worst = 0.0;
    for (double x = -87.33; x <= 0.0; x += 0.00137) {
      std::array<float, 2> two = {0.0F, static_cast<float>(x)};
      const double power = std::exp(static_cast<double>(two[1]));
      kernels->softmax(two.data(), two.size());
      // {f, e^x f}: the quotient is e^x but for the rounding of the second product.
      const double quotient = static_cast<double>(two[1]) / static_cast<double>(two[0]);
      worst = std::max(worst, excess(quotient, power, (kExponentialError + 1.1 * kRoundoff) * power));
    }
    INFO(kernels->name);
    CHECK(worst <= 1.0);
  }
}

TEST_CASE("softmax is within its error bound and sums to one") {
  for (const Kernels* kernels : available_kernels())
    for (std::size_t n = 1; n <= 1000; n += n < 70 ? 1 : 310)
      for (const double range : {0.01, 3.0, 80.0}) {
        std::vector<float> x = random_floats(n, static_cast<unsigned>(n), -range, range / 10.0);
        const std::vector<float> y = softmax_of(*kernels, x);
        INFO(kernels->name << ", n = " << n << ", range " << range);
        CHECK(softmax_excess(x, y) <= 1.0);
        // The sum that divides is within gamma_(n - 1) of the terms; reciprocal and product round once each.
        CHECK(std::abs(total_of(y) - 1.0) <= sum_error(n + 1));
        // A shift that is exact changes nothing at all.
        for (float& value : x) value = std::round(value * 64.0F) / 64.0F;
        std::vector<float> shifted = x;
        for (float& value : shifted) value += 1024.0F;
        CHECK(softmax_of(*kernels, shifted) == softmax_of(*kernels, x));
      }
}

TEST_CASE("softmax of equal entries is one nth each") {
  for (const Kernels* kernels : available_kernels())
    for (const float value : {0.0F, -1e30F, 1e30F, -kLargest, kLargest})
      for (const std::size_t n : {std::size_t{1}, std::size_t{8}, std::size_t{37}, std::size_t{1000}}) {
        const std::vector<float> y = softmax_of(*kernels, std::vector<float>(n, value));
        INFO(kernels->name << ", " << n << " times " << value);
        CHECK(std::all_of(y.begin(), y.end(), [&](float v) { return v == 1.0F / static_cast<float>(n); }));
      }
}

TEST_CASE("softmax gives a dominating entry everything, wherever it stands") {
  for (const Kernels* kernels : available_kernels())
    for (const float other : {-100.0F, -1e30F, -kLargest, -kInfinity})
      for (const float top : {0.0F, 300.0F, kLargest})
        for (std::size_t at = 0; at < 41; ++at) {
          std::vector<float> x(41, other);
          x[at] = top;
          const std::vector<float> y = softmax_of(*kernels, x);
          bool right = true;
          for (std::size_t i = 0; i < y.size(); ++i)
            right = right && (i == at ? y[i] == 1.0F : y[i] >= 0.0F && y[i] <= 1.2e-38F);
          INFO(kernels->name << ", " << top << " at " << at << " among " << other);
          CHECK(right);
        }
}

TEST_CASE("softmax of nothing touches nothing") {
  for (const Kernels* kernels : available_kernels()) {
    float guard = 5.0F;
    kernels->softmax(&guard, 0);
    CHECK(guard == 5.0F);
  }
}

TEST_CASE("softmax never hides NaN or positive infinity") {
  for (const Kernels* kernels : available_kernels())
    for (const float bad : {kNan, kInfinity})
      for (const std::size_t n : {std::size_t{1}, std::size_t{16}, std::size_t{53}})
        for (std::size_t at = 0; at < n; ++at) {
          std::vector<float> x = random_floats(n, 7);
          x[at] = bad;
          const std::vector<float> y = softmax_of(*kernels, x);
          INFO(kernels->name << ", " << bad << " at " << at << " of " << n);
          CHECK(std::all_of(y.begin(), y.end(), [](float v) { return std::isnan(v); }));
        }
}
