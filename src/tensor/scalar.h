// Exact conversions between float and the narrow types, one scalar at a time. Infinities, NaN and subnormals
// are right; nothing depends on the CPU's rounding or flush-to-zero mode. Narrow values are held as their
// bits.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace mla {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian and read in place");

/// Reads a T at any address: tensors in a mapped file have no alignment.
template <typename T>
inline T load_unaligned(const std::byte* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

namespace detail {

/// The magnitude `bits` shifted right by `shift` (1 to 31), rounded to nearest, ties to even.
constexpr std::uint32_t shift_right_to_even(std::uint32_t bits, int shift) {
  const std::uint32_t half = std::uint32_t{1} << (shift - 1);
  const std::uint32_t odd = (bits >> shift) & 1U;
  return (bits + (half - 1) + odd) >> shift;
}

/// The magnitude of a float (its bits without the sign, finite) as a narrow float with `mantissa` bits and
/// exponent bias `bias`. A too large value carries into the exponent and comes out above the largest finite
/// number.
constexpr std::uint32_t narrow_magnitude(std::uint32_t magnitude, int mantissa, int bias) {
  const int exponent = static_cast<int>(magnitude >> 23) - 127 + bias;
  const int shift = 23 - mantissa;
  if (exponent > 0) {
    const std::uint32_t rebiased = magnitude - (static_cast<std::uint32_t>(127 - bias) << 23);
    return shift_right_to_even(rebiased, shift);
  }
  // Subnormal in the narrow type: the leading one becomes explicit and moves right.
  const int down = shift + 1 - exponent;
  if (down > 25) return 0;  // Less than half of the smallest subnormal.
  return shift_right_to_even((magnitude & 0x7fffffU) | 0x800000U, down);
}

/// A narrow magnitude (finite) as float bits.
constexpr std::uint32_t widen_magnitude(std::uint32_t magnitude, int mantissa, int bias) {
  if (magnitude == 0) return 0;
  const std::uint32_t rebias = static_cast<std::uint32_t>(127 - bias);
  if ((magnitude >> mantissa) != 0) return (magnitude << (23 - mantissa)) + (rebias << 23);
  const int up =
      std::countl_zero(magnitude) - (31 - mantissa);  // Moves the leading one to the implicit place.
  const std::uint32_t fraction = (magnitude << up) & ((1U << mantissa) - 1U);
  return ((rebias + 1U - static_cast<std::uint32_t>(up)) << 23) | (fraction << (23 - mantissa));
}

}  // namespace detail

constexpr float bf16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

constexpr float f16_to_float(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t magnitude = bits & 0x7fffU;
  if (magnitude >= 0x7c00U) return std::bit_cast<float>(sign | 0x7f800000U | (magnitude & 0x3ffU) << 13);
  return std::bit_cast<float>(sign | detail::widen_magnitude(magnitude, 10, 15));
}

/// E4M3FN: 1 sign, 4 exponent (bias 7) and 3 mantissa bits; no infinity; NaN is 0x7f and 0xff; the largest is
/// 448.
constexpr float e4m3_to_float(std::uint8_t bits) {
  const std::uint32_t sign = (bits & 0x80U) << 24;
  const std::uint32_t magnitude = bits & 0x7fU;
  if (magnitude == 0x7fU) return std::bit_cast<float>(sign | 0x7fc00000U);
  return std::bit_cast<float>(sign | detail::widen_magnitude(magnitude, 3, 7));
}

/// Nearest, ties to even; NaN stays NaN (made quiet), too large becomes infinite.
constexpr std::uint16_t float_to_bf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

/// Nearest, ties to even; NaN stays NaN (made quiet), too large becomes infinite.
constexpr std::uint16_t float_to_f16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U | (magnitude >> 13 & 0x3ffU));
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // 65536 and above.
  return static_cast<std::uint16_t>(sign | detail::narrow_magnitude(magnitude, 10, 15));
}

/// Nearest, ties to even; what rounds beyond 448 (more than 464, infinity) is NaN, as in PyTorch: nothing
/// saturates.
constexpr std::uint8_t float_to_e4m3(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 24 & 0x80U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude >= 0x43f00000U) return static_cast<std::uint8_t>(sign | 0x7fU);  // 480 and above, NaN.
  return static_cast<std::uint8_t>(sign | detail::narrow_magnitude(magnitude, 3, 7));
}

}  // namespace mla
