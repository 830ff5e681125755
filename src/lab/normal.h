// Normally distributed numbers that are the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

namespace mla::lab {

/// `count` values of N(0, deviation^2), by Box and Muller's transform of the standard's mt19937_64.
inline std::vector<float> normal_values(std::uint64_t seed, std::size_t count, double deviation) {
  std::mt19937_64 engine(seed);
  const auto uniform = [&] { return (static_cast<double>(engine() >> 11U) + 0.5) * 0x1p-53; };
  std::vector<float> values(count);
  for (float& value : values) {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    value = static_cast<float>(deviation * radius * std::cos(2.0 * std::numbers::pi * uniform()));
  }
  return values;
}

}  // namespace mla::lab
