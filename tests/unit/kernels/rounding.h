// Random numbers and the error bounds that every order of float32 additions keeps.
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

/// The largest relative error of one float32 operation: half a unit in the last of 24 places.
inline constexpr double kRoundoff = 0x1p-24;

/// Higham's gamma_n = n u / (1 - n u): the relative error that n rounded operations in a row can add up to.
/// A sum of n products, added in any order and with or without fused multiply-add, takes each product through
/// at most n roundings (its own and n - 1 additions; adding a zero is exact), so that
///   |computed - exact| <= gamma_n * sum_i |w_i x_i|.
inline double sum_error(std::size_t operations) {
  const double error = static_cast<double>(operations) * kRoundoff;
  return error / (1.0 - error);
}

/// The same numbers on every platform: the standard fixes mt19937, but not its distributions.
inline std::vector<float> random_floats(std::size_t n, unsigned seed, double low = -1.0, double high = 1.0) {
  std::mt19937 source(seed);
  std::vector<float> values(n);
  for (float& value : values)
    value = static_cast<float>(low + (high - low) * static_cast<double>(source()) * 0x1p-32);
  return values;
}

/// |found - expected| in units of `bound`; above 1 is wrong, and so is NaN.
inline double excess(double found, double expected, double bound) {
  const double error = std::abs(found - expected);
  if (error == 0.0) return 0.0;
  return std::isnan(error) ? HUGE_VAL : error / bound;
}
