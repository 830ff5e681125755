// Packing loses no bit: a panel read as panel.h describes it has the values of the rows it was made of.
#include "packed/panel.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "aligned_bytes.h"
#include "panel_reader.h"
#include "tensor/scalar.h"
#include "unit/kernels/quantized_weights.h"
#include "unit/kernels/rounding.h"

using namespace mla;

namespace {

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

std::vector<QuantizedWeights> random_rows(DType dtype, std::size_t rows, std::size_t cols) {
  std::vector<QuantizedWeights> weights;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto halves = random_floats(2 * cols / 32, static_cast<unsigned>(row), -2.0, 2.0);
    std::size_t next = 0;
    weights.push_back(
        quantized_weights(dtype, cols, static_cast<unsigned>(100 + row), [&] { return halves[next++]; }));
  }
  return weights;
}

template <typename Weights>
AlignedBytes pack(DType dtype, const std::vector<Weights>& rows, std::size_t cols) {
  const PanelShape shape = panel_shape(dtype, cols);
  REQUIRE(shape.bytes % kPanelAlignment == 0);
  AlignedBytes panel(shape.bytes + kPanelAlignment);
  std::vector<const std::byte*> pointers;
  for (const Weights& row : rows) pointers.push_back(row.data());
  pack_panel(dtype, pointers, cols, panel.data());
  for (std::size_t i = shape.bytes; i < panel.size(); ++i) REQUIRE(panel.data()[i] == std::byte{0xa5});
  return panel;
}

}  // namespace

TEST_CASE("panels of quantized types have the values of their rows", "[packed]") {
  for (const DTypeTraits& traits : kDTypeTraits) {
    if (!is_quantized(traits.dtype)) continue;
    const std::size_t cols = 3 * traits.block_elements;
    for (const std::size_t rows : {std::size_t{1}, std::size_t{15}, kPanelRows}) {
      INFO(traits.name << ", " << rows << " rows");
      const auto weights = random_rows(traits.dtype, rows, cols);
      const AlignedBytes panel = pack(traits.dtype, weights, cols);
      const PanelReader reader(traits.dtype, panel.data(), cols);
      int wrong = 0;
      for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t col = 0; col < cols; ++col)
          wrong += same_bits(reader.value(row, col), weights[row].values[col]) ? 0 : 1;
      for (std::size_t row = rows; row < kPanelRows; ++row)
        for (std::size_t col = 0; col < cols; ++col)
          wrong += reader.code(row, col) == 0 && same_bits(reader.d(row, col), 0.0F) ? 0 : 1;
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a panel of zero rows is zeros", "[packed]") {
  for (const DTypeTraits& traits : kDTypeTraits) {
    if (traits.dtype == DType::f8_e4m3) continue;
    const std::size_t cols = 2 * traits.block_elements;
    const AlignedBytes panel = pack(traits.dtype, std::vector<QuantizedWeights>{}, cols);
    INFO(traits.name);
    for (std::size_t i = 0; i < panel_shape(traits.dtype, cols).bytes; ++i)
      REQUIRE(panel.data()[i] == std::byte{0});
  }
}

TEST_CASE("panels of floats have the bits of their rows", "[packed]") {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
    for (const std::size_t rows : {std::size_t{1}, std::size_t{15}, kPanelRows})
      for (const std::size_t cols : {std::size_t{1}, std::size_t{7}, std::size_t{32}, std::size_t{67}}) {
        INFO(dtype_name(dtype) << ", " << rows << " rows of " << cols);
        const std::size_t width = dtype_traits(dtype).block_bytes;
        std::mt19937 source(7);
        std::vector<std::vector<std::byte>> weights(rows, std::vector<std::byte>(cols * width));
        for (auto& row : weights)
          for (std::byte& byte : row) byte = static_cast<std::byte>(source() >> 24);
        const AlignedBytes panel = pack(dtype, weights, cols);
        std::vector<std::byte> expected(panel_shape(dtype, cols).bytes);
        for (std::size_t row = 0; row < rows; ++row)
          for (std::size_t col = 0; col < cols; ++col) {
            const std::size_t at =
                dtype == DType::bf16 ? (col / 2 * kPanelRows + row) * 2 + col % 2 : col * kPanelRows + row;
            std::memcpy(expected.data() + at * width, weights[row].data() + col * width, width);
          }
        CHECK(std::equal(expected.begin(), expected.end(), panel.data()));
        if (dtype == DType::bf16) CHECK(expected.size() % (32 * kPanelRows * 2) == 0);
      }
}

TEST_CASE("panels of FP8 have the codes of their rows and the factors of their blocks", "[packed]") {
  for (const std::size_t rows : {std::size_t{0}, std::size_t{1}, std::size_t{15}, kPanelRows})
    for (const std::size_t cols : {std::size_t{1}, std::size_t{7}, std::size_t{40}, std::size_t{67}})
      for (const std::size_t scale_cols : {std::size_t{1}, std::size_t{20}, std::size_t{128}}) {
        INFO(rows << " rows of " << cols << ", blocks of " << scale_cols);
        const std::size_t blocks = (cols + scale_cols - 1) / scale_cols;
        std::vector<std::vector<std::byte>> codes(rows, std::vector<std::byte>(cols));
        for (std::size_t row = 0; row < rows; ++row)
          for (std::size_t col = 0; col < cols; ++col)
            codes[row][col] = static_cast<std::byte>((37 * row + 11 * col) % 256);
        const std::vector<float> factors = random_floats(rows * blocks, 5);
        std::vector<const std::byte*> pointers;
        for (const std::vector<std::byte>& row : codes) pointers.push_back(row.data());
        const PanelShape shape = panel_shape(DType::f8_e4m3, cols, scale_cols);
        REQUIRE(shape.bytes % kPanelAlignment == 0);
        REQUIRE(shape.scales % kPanelAlignment == 0);
        AlignedBytes panel(shape.bytes + kPanelAlignment);
        pack_f8_panel(pointers, factors, cols, scale_cols, panel.data());
        for (std::size_t i = shape.bytes; i < panel.size(); ++i) REQUIRE(panel.data()[i] == std::byte{0xa5});
        int wrong = 0;
        for (std::size_t row = 0; row < kPanelRows; ++row)
          for (std::size_t col = 0; col < cols; ++col) {
            const std::size_t block = col / scale_cols;
            const std::size_t block_end = std::min(cols, (block + 1) * scale_cols);
            const auto code_of = [&](std::size_t c) { return static_cast<std::uint8_t>(codes[row][c]); };
            const float factor =
                load_unaligned<float>(panel.data() + shape.scales + (block * kPanelRows + row) * 4);
            const float found =
                e4m3_to_float(static_cast<std::uint8_t>(panel.data()[col * kPanelRows + row])) / 256.0F *
                factor;
            if (row >= rows) {
              wrong += same_bits(found, 0.0F) ? 0 : 1;
              continue;
            }
            // A code that is no number takes its whole block along.
            bool number = true;
            for (std::size_t c = block * scale_cols; c < block_end; ++c)
              number = number && !std::isnan(e4m3_to_float(code_of(c)));
            const float expected = e4m3_to_float(code_of(col)) * factors[row * blocks + block];
            wrong += (number ? same_bits(found, expected) : std::isnan(found)) ? 0 : 1;
          }
        CHECK(wrong == 0);
      }
}
