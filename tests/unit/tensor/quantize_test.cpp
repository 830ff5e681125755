#include "tensor/quantize.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "tensor/decode.h"
#include "tensor/scalar.h"
#include "unit/tensor/quantize_reference.h"

using namespace mla;

namespace {

constexpr std::size_t kCols = 512;
constexpr DType kQuantized[] = {DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0,
                                DType::q5_1, DType::q4_k, DType::q5_k, DType::q6_k};

std::vector<std::byte> encode(DType dtype, const std::vector<float>& row) {
  const std::size_t cols = row.size();
  std::vector<std::byte> bytes(*byte_size(dtype, std::span(&cols, 1)));
  REQUIRE(encode_row(dtype, row, bytes));
  return bytes;
}

std::vector<float> round_trip(DType dtype, const std::vector<float>& row) {
  const std::vector<std::byte> bytes = encode(dtype, row);
  return decode(TensorView{dtype, Shape{row.size()}, bytes.data()});
}

/// Rows of very different kinds, some values far out.
std::vector<std::vector<float>> rows() {
  std::mt19937 random(7);
  std::vector<std::vector<float>> result;
  for (const float scale : {1e-3F, 0.04F, 1.0F, 3e3F}) {
    std::normal_distribution<float> normal(0.0F, scale);
    std::uniform_real_distribution<float> uniform(-scale, scale);
    std::vector<float> a(kCols), b(kCols), c(kCols);
    for (std::size_t i = 0; i < kCols; ++i) {
      a[i] = normal(random);
      b[i] = uniform(random);
      c[i] = std::fabs(normal(random)) + (i % 50 == 0 ? 20 * scale : 0);
    }
    result.insert(result.end(), {a, b, c});
  }
  return result;
}

struct Range {
  float least;
  float greatest;
  float extreme() const { return std::max(std::fabs(least), std::fabs(greatest)); }
};

Range range_of(const float* x, std::size_t count) {
  const auto [least, greatest] = std::minmax_element(x, x + count);
  return {*least, *greatest};
}

/// How far a value of a block may be off: half a step and what the scale's eleven bits lose at the last level; a whole
/// step where one end of the levels has one less. Scales below 2^-14 are whole multiples of 2^-24.
float bound_of_32(DType dtype, const Range& range) {
  constexpr float kF16 = 0x1p-11F;
  const float extreme = range.extreme();
  const float width = range.greatest - range.least;
  switch (dtype) {
    case DType::q8_0:
      return extreme / 127 / 2 + extreme * kF16;
    case DType::q4_0:
      return extreme / 8 + extreme * kF16;
    case DType::q5_0:
      return extreme / 16 + extreme * kF16;
    case DType::q4_1:
      return width / 15 / 2 + (width + extreme) * kF16;
    default:
      return width / 31 / 2 + (width + extreme) * kF16;
  }
}

}  // namespace

TEST_CASE("quantized blocks of 32 come back within half a step", "[tensor][quantize]") {
  for (const std::vector<float>& row : rows())
    for (const DType dtype : {DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1}) {
      const std::vector<float> back = round_trip(dtype, row);
      for (std::size_t block = 0; block < kCols; block += 32) {
        const float coarse = dtype == DType::q8_0 ? 128 * 0x1p-25F : 32 * 0x1p-25F;
        const float bound = bound_of_32(dtype, range_of(row.data() + block, 32)) * 1.0001F + coarse;
        for (std::size_t i = block; i < block + 32; ++i) {
          INFO(dtype_name(dtype) << " " << i << ": " << row[i] << " " << back[i]);
          REQUIRE(std::fabs(back[i] - row[i]) <= bound);
        }
      }
    }
}

TEST_CASE("quantized blocks of 256 lose less than rounding to the range of each group",
          "[tensor][quantize]") {
  // A group's own range, rounded to the block's grid of 64 (128) scales, is what the search starts from: an error of
  // half a step, and of half a unit of the grid at the last level and in the minimum.
  for (const std::vector<float>& row : rows())
    for (const DType dtype : {DType::q4_k, DType::q5_k, DType::q6_k}) {
      const bool symmetric = dtype == DType::q6_k;
      const std::size_t group = symmetric ? 16 : 32;
      const float top = dtype == DType::q4_k ? 15 : 31;
      const std::vector<float> back = round_trip(dtype, row);
      for (std::size_t block = 0; block < kCols; block += 256) {
        float step = 0, minimum = 0, squares = 0;
        for (std::size_t g = block; g < block + 256; g += group) {
          const Range range = range_of(row.data() + g, group);
          const float low = std::min(range.least, 0.0F);
          step = std::max(step, symmetric ? range.extreme() / 32 : (range.greatest - low) / top);
          minimum = std::max(minimum, symmetric ? 0 : -low);
        }
        for (std::size_t i = block; i < block + 256; ++i) squares += (back[i] - row[i]) * (back[i] - row[i]);
        const float grid = symmetric ? step / 128 / 2 * 32 : step / 63 / 2 * top + minimum / 63 / 2;
        INFO(dtype_name(dtype) << " " << row[0]);
        REQUIRE(std::sqrt(squares / 256) <= step / 2 + grid);
      }
    }
}

TEST_CASE("the K encoders lose no more than the stored errors of ggml's", "[tensor][quantize]") {
  // tests/unit/tensor/quantize_reference.h says where the numbers come from.
  std::vector<float> row(kReferenceRow.begin(), kReferenceRow.end());
  for (const auto& [dtype, error] : kReferenceErrors) {
    const std::vector<float> back = round_trip(dtype, row);
    double errors = 0;
    double weights = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      double typical = 0;
      for (std::size_t j = i / 32 * 32; j < i / 32 * 32 + 32; ++j)
        typical += double{row[j]} * double{row[j]} / 32;
      const double magnitude = std::fabs(double{row[i]});
      const double weight = dtype == DType::q6_k ? magnitude * magnitude : magnitude + std::sqrt(typical);
      const double difference = double{back[i]} - double{row[i]};
      errors += weight * difference * difference;
      weights += weight;
    }
    INFO(dtype_name(dtype));
    REQUIRE(std::sqrt(errors / weights) <= error);
  }
}

TEST_CASE("blocks of 32 are those of the gguf package, to the bit", "[tensor][quantize]") {
  const std::vector<float> row(kReferenceRow.begin(), kReferenceRow.begin() + 64);
  for (const auto& [dtype, expected] : kReferenceBlocks) {
    const std::vector<std::byte> bytes = encode(dtype, row);
    std::string hex;
    for (const std::byte byte : bytes) {
      constexpr char kDigits[] = "0123456789abcdef";
      hex += kDigits[std::to_integer<unsigned>(byte) >> 4];
      hex += kDigits[std::to_integer<unsigned>(byte) & 15U];
    }
    INFO(dtype_name(dtype));
    REQUIRE(hex == expected);
  }
}

TEST_CASE("special rows: zeros, equal values, one value, tiny values", "[tensor][quantize]") {
  for (const DType dtype : kQuantized) {
    INFO(dtype_name(dtype));
    REQUIRE(round_trip(dtype, std::vector<float>(256, 0.0F)) == std::vector<float>(256, 0.0F));
    for (const float value : {1.0F, -1.0F}) {
      for (const float back : round_trip(dtype, std::vector<float>(256, value)))
        REQUIRE(back == Approx(value).epsilon(0.01));
      std::vector<float> one(256, 0.0F);
      one[77] = value;
      REQUIRE(round_trip(dtype, one)[77] == Approx(value).epsilon(0.02));
    }
    for (const float tiny : {1e-30F, std::numeric_limits<float>::denorm_min()})
      for (const float back : round_trip(dtype, std::vector<float>(256, tiny)))
        REQUIRE(std::fabs(back) <= 1e-6F);
  }
}

TEST_CASE("plain types are written exactly or rounded to nearest", "[tensor][quantize]") {
  const std::vector<float> row = {1.0F, -2.5F, 65504.0F, 1.0F + 0x1p-9F, 3.0e-8F};
  REQUIRE(round_trip(DType::f32, row) == row);
  for (const DType dtype : {DType::f16, DType::bf16}) {
    const std::vector<float> back = round_trip(dtype, row);
    for (std::size_t i = 0; i < row.size(); ++i)
      REQUIRE(back[i] == (dtype == DType::f16 ? f16_to_float(float_to_f16(row[i]))
                                              : bf16_to_float(float_to_bf16(row[i]))));
  }
}

TEST_CASE("weights that are not finite or too large are refused", "[tensor][quantize]") {
  const auto takes = [](DType dtype, float value) {
    std::vector<float> row(256, 0.25F);
    row[200] = value;
    const std::size_t cols = row.size();
    std::vector<std::byte> bytes(*byte_size(dtype, std::span(&cols, 1)));
    return encode_row(dtype, row, bytes);
  };
  for (std::size_t i = 0; i < kDTypeTraits.size(); ++i) {
    const DType dtype = kDTypeTraits[i].dtype;
    if (!can_encode(dtype)) continue;
    INFO(dtype_name(dtype));
    REQUIRE(takes(dtype, 1.0F));
    for (const float odd : {NAN, INFINITY, -INFINITY}) REQUIRE_FALSE(takes(dtype, odd));
    const float greatest = std::numeric_limits<float>::max();
    REQUIRE(takes(dtype, greatest) == (dtype == DType::f32));
  }
  REQUIRE_FALSE(takes(DType::f16, 65520.0F));  // Rounds to infinity.
  REQUIRE(takes(DType::f16, 65519.0F));
  REQUIRE_FALSE(can_encode(DType::iq4_nl));
  REQUIRE_FALSE(can_encode(DType::f8_e4m3));
}
