#include "tensor/scalar.h"

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace mla;

namespace {

/// A finite narrow float's value by the definition of the format.
double by_definition(std::uint32_t bits, int exponent_bits, int mantissa_bits, int bias) {
  const std::uint32_t mantissa = bits & ((1U << mantissa_bits) - 1U);
  const int exponent = static_cast<int>(bits >> mantissa_bits & ((1U << exponent_bits) - 1U));
  const bool negative = (bits >> (mantissa_bits + exponent_bits) & 1U) != 0;
  const double fraction = std::ldexp(static_cast<double>(mantissa), -mantissa_bits);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
  return negative ? -magnitude : magnitude;
}

/// Checks round-to-nearest-even between each two neighbours of the positive values of a narrow type: the
/// value itself, its midpoint to the next and the floats on both sides of the midpoint, with both signs.
template <typename Bits, typename Narrow, typename Widen>
long count_rounding_errors(Bits largest, Bits sign, Narrow narrow, Widen widen) {
  long errors = 0;
  const auto expect = [&](float value, Bits expected) {
    errors += narrow(value) != expected;
    errors += narrow(-value) != static_cast<Bits>(expected | sign);
  };
  for (Bits low = 0; low < largest; ++low) {
    const Bits high = static_cast<Bits>(low + 1);
    const float middle =
        static_cast<float>((static_cast<double>(widen(low)) + static_cast<double>(widen(high))) / 2);
    expect(widen(low), low);
    expect(std::nextafter(middle, 0.0F), low);
    expect(middle, low % 2 == 0 ? low : high);
    expect(std::nextafter(middle, std::numeric_limits<float>::infinity()), high);
  }
  expect(widen(largest), largest);
  return errors;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("bf16 to float is exact for all 65536 values", "[tensor][scalar]") {
  long errors = 0;
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = bf16_to_float(static_cast<std::uint16_t>(bits));
    if ((bits & 0x7f80U) != 0x7f80U)
      errors += static_cast<double>(value) != by_definition(bits, 8, 7, 127);
    else if ((bits & 0x7fU) == 0)
      errors += value != ((bits & 0x8000U) != 0 ? -kInfinity : kInfinity);
    else
      errors += !std::isnan(value);
    errors += std::signbit(value) != ((bits & 0x8000U) != 0);
  }
  REQUIRE(errors == 0);
}

TEST_CASE("f16 to float is exact for all 65536 values", "[tensor][scalar]") {
  long errors = 0;
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = f16_to_float(static_cast<std::uint16_t>(bits));
    if ((bits & 0x7c00U) != 0x7c00U)
      errors += static_cast<double>(value) != by_definition(bits, 5, 10, 15);
    else if ((bits & 0x3ffU) == 0)
      errors += value != ((bits & 0x8000U) != 0 ? -kInfinity : kInfinity);
    else
      errors += !std::isnan(value);
    errors += std::signbit(value) != ((bits & 0x8000U) != 0);
  }
  REQUIRE(errors == 0);
}

TEST_CASE("e4m3 to float is exact for all 256 values", "[tensor][scalar]") {
  long errors = 0;
  int nans = 0;
  for (std::uint32_t bits = 0; bits <= 0xff; ++bits) {
    const float value = e4m3_to_float(static_cast<std::uint8_t>(bits));
    if (std::isnan(value)) {
      ++nans;
      errors += (bits & 0x7fU) != 0x7fU;
    } else {
      errors += static_cast<double>(value) != by_definition(bits, 4, 3, 7);
    }
    errors += std::signbit(value) != ((bits & 0x80U) != 0);
  }
  REQUIRE(errors == 0);
  REQUIRE(nans == 2);
  REQUIRE(e4m3_to_float(0x7e) == 448.0F);
  REQUIRE(e4m3_to_float(0x01) == std::ldexp(1.0F, -9));
  REQUIRE(e4m3_to_float(0x38) == 1.0F);
}

TEST_CASE("every narrow value survives the way to float and back", "[tensor][scalar]") {
  long errors = 0;
  for (std::uint32_t wide = 0; wide <= 0xffff; ++wide) {
    const auto bits = static_cast<std::uint16_t>(wide);
    if (!std::isnan(bf16_to_float(bits)))
      errors += float_to_bf16(bf16_to_float(bits)) != bits;
    else
      errors += float_to_bf16(bf16_to_float(bits)) != (bits | 0x40U);
    if (!std::isnan(f16_to_float(bits)))
      errors += float_to_f16(f16_to_float(bits)) != bits;
    else
      errors += float_to_f16(f16_to_float(bits)) != (bits | 0x200U);
    if (bits <= 0xff) errors += float_to_e4m3(e4m3_to_float(static_cast<std::uint8_t>(bits))) != bits;
  }
  REQUIRE(errors == 0);
}

TEST_CASE("float to narrow rounds to nearest, ties to even, at every midpoint", "[tensor][scalar]") {
  REQUIRE(count_rounding_errors<std::uint16_t>(0x7f7f, 0x8000, float_to_bf16, bf16_to_float) == 0);
  REQUIRE(count_rounding_errors<std::uint16_t>(0x7bff, 0x8000, float_to_f16, f16_to_float) == 0);
  REQUIRE(count_rounding_errors<std::uint8_t>(0x7e, 0x80, float_to_e4m3, e4m3_to_float) == 0);
}

TEST_CASE("float to narrow beyond the largest value", "[tensor][scalar]") {
  REQUIRE(float_to_bf16(std::numeric_limits<float>::max()) == 0x7f80);
  REQUIRE(float_to_bf16(-kInfinity) == 0xff80);
  REQUIRE(float_to_f16(std::nextafter(65520.0F, 0.0F)) == 0x7bff);
  REQUIRE(float_to_f16(65520.0F) == 0x7c00);
  REQUIRE(float_to_f16(65536.0F) == 0x7c00);
  REQUIRE(float_to_f16(-1e30F) == 0xfc00);
  REQUIRE(float_to_f16(kInfinity) == 0x7c00);
  REQUIRE(float_to_e4m3(464.0F) == 0x7e);
  REQUIRE(float_to_e4m3(std::nextafter(464.0F, 500.0F)) == 0x7f);
  REQUIRE(float_to_e4m3(479.0F) == 0x7f);
  REQUIRE(float_to_e4m3(480.0F) == 0x7f);
  REQUIRE(float_to_e4m3(-1e30F) == 0xff);
  REQUIRE(float_to_e4m3(kInfinity) == 0x7f);
}

TEST_CASE("NaN stays NaN whatever its payload", "[tensor][scalar]") {
  for (const std::uint32_t bits :
       {0x7f800001U, 0x7fffffffU, 0x7fc00000U, 0xff800001U, 0xffffffffU, 0x7f801000U}) {
    const float value = std::bit_cast<float>(bits);
    CAPTURE(bits);
    REQUIRE(std::isnan(bf16_to_float(float_to_bf16(value))));
    REQUIRE(std::isnan(f16_to_float(float_to_f16(value))));
    REQUIRE((float_to_e4m3(value) & 0x7fU) == 0x7fU);
  }
  REQUIRE(std::isnan(bf16_to_float(float_to_bf16(kNan))));
}

TEST_CASE("the smallest floats round to zero with their sign", "[tensor][scalar]") {
  const float least = std::numeric_limits<float>::denorm_min();
  REQUIRE(float_to_bf16(-least) == 0x8000);
  REQUIRE(float_to_f16(-least) == 0x8000);
  REQUIRE(float_to_e4m3(-least) == 0x80);
  REQUIRE(float_to_f16(-0.0F) == 0x8000);
  REQUIRE(float_to_f16(std::ldexp(1.0F, -25)) == 0);  // A tie between 0 and the least subnormal.
  REQUIRE(float_to_f16(std::nextafter(std::ldexp(1.0F, -25), 1.0F)) == 1);
  REQUIRE(float_to_e4m3(std::ldexp(1.0F, -10)) == 0);
  REQUIRE(float_to_e4m3(std::nextafter(std::ldexp(1.0F, -10), 1.0F)) == 1);
}

#if defined(__FLT16_MAX__) && defined(__x86_64__)
TEST_CASE("f16 agrees with the compiler's _Float16", "[tensor][scalar]") {
  long errors = 0;
  for (std::uint32_t wide = 0; wide <= 0xffff; ++wide) {
    const auto bits = static_cast<std::uint16_t>(wide);
    const float theirs = static_cast<float>(std::bit_cast<_Float16>(bits));
    const float ours = f16_to_float(bits);
    errors += std::isnan(ours) ? !std::isnan(theirs)
                               : std::bit_cast<std::uint32_t>(ours) != std::bit_cast<std::uint32_t>(theirs);
  }
  // A stride over all floats that is coprime to the powers of two.
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4099) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    const auto theirs = std::bit_cast<std::uint16_t>(static_cast<_Float16>(value));
    errors += std::isnan(value) ? (float_to_f16(value) & 0x7c00U) != 0x7c00U : float_to_f16(value) != theirs;
  }
  REQUIRE(errors == 0);
}
#endif

TEST_CASE("conversions work in constant expressions and at odd addresses", "[tensor][scalar]") {
  static_assert(f16_to_float(0x3c00) == 1.0F);
  static_assert(e4m3_to_float(0x08) == 0.015625F);
  static_assert(float_to_e4m3(448.0F) == 0x7e);
  static_assert(float_to_f16(5.9604645e-8F) == 1);
  const std::vector<std::byte> bytes = {std::byte{9}, std::byte{0}, std::byte{0}, std::byte{0x80},
                                        std::byte{0x3f}};
  REQUIRE(load_unaligned<float>(bytes.data() + 1) == 1.0F);
}
