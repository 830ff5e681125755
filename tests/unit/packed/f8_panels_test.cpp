// Panels of FP8 on every instruction set: the bits that F32 panels of the same weights have.
#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <span>
#include <vector>

#include "../kernels/rounding.h"
#include "aligned_bytes.h"
#include "packed/packed_kernels.h"
#include "tensor/scalar.h"

using namespace mla;

namespace {

constexpr float kUntouched = 77.0F;

/// FP8 weights with their factors, and the same as F32, both in panels.
class Weights {
 public:
  Weights(std::size_t rows, std::size_t cols, std::size_t scale_cols, const std::vector<std::uint8_t>& codes,
          const std::vector<float>& factors)
      : rows_(rows),
        cols_(cols),
        scale_cols_(scale_cols),
        f8_(panels() * bytes(DType::f8_e4m3)),
        f32_(panels() * bytes(DType::f32)) {
    const std::size_t blocks = (cols + scale_cols - 1) / scale_cols;
    std::vector<float> floats(rows * cols);
    for (std::size_t i = 0; i < floats.size(); ++i)
      floats[i] = e4m3_to_float(codes[i]) * factors[i / cols * blocks + i % cols / scale_cols];
    for (std::size_t panel = 0; panel < panels(); ++panel) {
      std::vector<const std::byte*> narrow, wide;
      const std::size_t first = panel * kPanelRows;
      const std::size_t count = std::min(kPanelRows, rows - first);
      for (std::size_t row = first; row < first + count; ++row) {
        narrow.push_back(reinterpret_cast<const std::byte*>(codes.data() + row * cols));
        wide.push_back(reinterpret_cast<const std::byte*>(floats.data() + row * cols));
      }
      const std::span<const float> scales = std::span(factors).subspan(first * blocks, count * blocks);
      pack_f8_panel(narrow, scales, cols, scale_cols, f8_.data() + panel * bytes(DType::f8_e4m3));
      pack_panel(DType::f32, wide, cols, f32_.data() + panel * bytes(DType::f32));
    }
  }

  /// x [tokens, cols] by all weights of one of the two; [tokens][rows].
  std::vector<float> multiply(Isa isa, DType dtype, const std::vector<float>& x, std::size_t tokens) const {
    const PackedKernels& kernels = packed_kernels(isa);
    AlignedBytes activations(activation_bytes(ActivationForm::f32, tokens, cols_));
    const ActivationView view = activations_in(activations.data(), ActivationForm::f32, tokens, cols_);
    for (std::size_t t = 0; t < tokens && cols_ != 0; ++t) kernels.quantize(x.data() + t * cols_, view, t);
    const std::size_t scratch_bytes = kernels.scratch_bytes(cols_);
    AlignedBytes scratch(scratch_bytes + 64);
    const std::size_t stride = rows_ + 3;
    std::vector<float> padded(tokens * stride, kUntouched);
    kernels.multiply[static_cast<std::size_t>(dtype)](
        {.panels = dtype == DType::f32 ? f32_.data() : f8_.data(),
         .panel_bytes = bytes(dtype),
         .rows = rows_,
         .cols = cols_,
         .scales = panel_shape(dtype, cols_, scale_cols_).scales,
         .scale_cols = scale_cols_,
         .x = view,
         .y = {padded.data(), tokens, rows_, stride},
         .scratch = scratch.data()});
    for (std::size_t i = 0; i < 64; ++i) REQUIRE(scratch.data()[scratch_bytes + i] == std::byte{0xa5});
    std::vector<float> y;
    bool untouched = true;
    for (std::size_t i = 0; i < padded.size(); ++i)
      if (i % stride < rows_)
        y.push_back(padded[i]);
      else
        untouched = untouched && padded[i] == kUntouched;
    CHECK(untouched);
    return y;
  }

 private:
  std::size_t panels() const { return (rows_ + kPanelRows - 1) / kPanelRows; }
  std::size_t bytes(DType dtype) const { return panel_shape(dtype, cols_, scale_cols_).bytes; }

  std::size_t rows_, cols_, scale_cols_;
  AlignedBytes f8_, f32_;
};

/// Every code that is a number comes up.
std::vector<std::uint8_t> some_codes(std::size_t count) {
  std::vector<std::uint8_t> codes(count);
  for (std::size_t i = 0; i < count; ++i) {
    codes[i] = static_cast<std::uint8_t>(i * 89 + i / 256);
    if (std::isnan(e4m3_to_float(codes[i]))) codes[i] = 1;
  }
  return codes;
}

int differences(const std::vector<float>& found, const std::vector<float>& expected) {
  int count = found.size() == expected.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i)
    if (!(std::isnan(found[i]) && std::isnan(expected[i])))
      count += std::bit_cast<std::uint32_t>(found[i]) != std::bit_cast<std::uint32_t>(expected[i]) ? 1 : 0;
  return count;
}

void check_all(const Weights& weights, const std::vector<float>& x, std::size_t tokens) {
  const std::vector<float> expected = weights.multiply(Isa::scalar, DType::f32, x, tokens);
  for (const Isa isa : available_isas()) {
    INFO(name_of(isa) << ", " << tokens << " tokens");
    CHECK(differences(weights.multiply(isa, DType::f8_e4m3, x, tokens), expected) == 0);
  }
}

}  // namespace

TEST_CASE("panels of FP8 multiply as F32 ones of the same weights", "[packed]") {
  for (const std::size_t rows : std::initializer_list<std::size_t>{1, 16, 17, 70})
    for (const std::size_t cols : std::initializer_list<std::size_t>{0, 1, 63, 64, 65, 200})
      for (const std::size_t scale_cols : std::initializer_list<std::size_t>{1, 20, 64, 128}) {
        INFO(rows << " rows of " << cols << ", blocks of " << scale_cols);
        const std::size_t blocks = (cols + scale_cols - 1) / scale_cols;
        const Weights weights(rows, cols, scale_cols, some_codes(rows * cols),
                              random_floats(rows * blocks, static_cast<unsigned>(rows + cols)));
        for (const std::size_t tokens : std::initializer_list<std::size_t>{0, 1, 2, 5, 13, 26})
          check_all(weights, random_floats(tokens * cols, static_cast<unsigned>(tokens)), tokens);
      }
}

TEST_CASE("FP8: subnormal codes, factors from the smallest to the largest, and no numbers", "[packed]") {
  constexpr std::size_t kRows = 33, kCols = 96, kTokens = 14;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<std::uint8_t> codes = some_codes(kRows * kCols);
  for (std::size_t i = 0; i < codes.size(); i += 3) codes[i] = static_cast<std::uint8_t>(i % 8 + i % 2 * 128);
  std::vector<float> factors = random_floats(kRows * 3, 9, 0.5, 1.0);
  factors[3] = 0x1p-149F;
  factors[4] = 0x1p-126F;
  factors[5] = 0x1p119F;
  factors[9] = 0.0F;
  factors[50] = kInfinity;                                // Row 16,
  factors[61] = std::numeric_limits<float>::quiet_NaN();  // and row 20.
  std::vector<float> x = random_floats(kTokens * kCols, 10, 0x1p-20, 1.0);
  x[5 * kCols + 3] = kInfinity;
  x[6 * kCols + 70] = std::numeric_limits<float>::quiet_NaN();
  const Weights weights(kRows, kCols, 32, codes, factors);
  check_all(weights, x, kTokens);
  check_all(weights, x, 1);
  const std::vector<float> y = weights.multiply(available_isas().back(), DType::f8_e4m3, x, 1);
  CHECK_FALSE(std::isfinite(y[16]));
  CHECK(std::isnan(y[20]));
  CHECK(std::isfinite(y[2]));

  codes[31 * kCols + 40] = 0xff;
  const Weights with_nan(kRows, kCols, 32, codes, factors);
  for (const Isa isa : available_isas()) {
    const std::vector<float> found = with_nan.multiply(isa, DType::f8_e4m3, x, kTokens);
    for (std::size_t t = 0; t < kTokens; ++t) CHECK(std::isnan(found[t * kRows + 31]));
    CHECK(std::isfinite(found[30]));
  }
}
