// Activations in every form on every instruction set, against what activations.h says of them, bit for bit.
#include "packed/activations.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "../kernels/rounding.h"
#include "aligned_bytes.h"
#include "packed/packed_kernels.h"
#include "tensor/scalar.h"

using namespace mla;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Rows of one form in memory of their own.
struct Activations {
  AlignedBytes memory;
  ActivationView view;

  Activations(ActivationForm form, std::size_t rows, std::size_t cols)
      : memory(activation_bytes(form, rows, cols)), view(activations_in(memory.data(), form, rows, cols)) {}

  std::string bytes() {
    return {reinterpret_cast<const char*>(memory.data()), activation_bytes(view.form, view.rows, view.cols)};
  }
};

/// Rows of blocks that are hard: zeros, one value, ties, subnormals, the largest floats, infinities, NaN.
std::vector<float> hard_rows(std::size_t rows, std::size_t cols, std::size_t block) {
  std::vector<float> x = random_floats(rows * cols, 11, -3.0, 3.0);
  for (std::size_t begin = 0, kind = 0; begin + block <= x.size(); begin += block, ++kind) {
    float* values = x.data() + begin;
    for (std::size_t i = 0; i < block; ++i) {
      if (kind % 9 == 1) values[i] = 0.0F;
      if (kind % 9 == 2) values[i] = i == block / 2 ? -0.3F : -0.0F;
      if (kind % 9 == 3) values[i] = static_cast<float>(i % 64) + (i % 2 == 0 ? 0.5F : -63.5F);  // With 127:
      if (kind % 9 == 3 && i == 0) values[i] = 127.0F;                                           // ties.
      if (kind % 9 == 4) values[i] *= 1e-39F;
      if (kind % 9 == 5) values[i] *= 1e-36F;
      if (kind % 9 == 6) values[i] *= 1e38F;
    }
    if (kind % 9 == 7) values[block - 1] = kind % 2 == 0 ? kInfinity : -kInfinity;
    if (kind % 9 == 8) values[block - 3] = kNan;
  }
  return x;
}

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

/// What activations.h says of one block.
void check_block(const float* x, std::size_t n, const std::int8_t* values, float scale) {
  float largest = 0.0F;
  bool finite = true;
  for (std::size_t i = 0; i < n; ++i) {
    finite = finite && std::isfinite(x[i]);
    largest = std::fmax(largest, std::fabs(x[i]));
  }
  if (!finite) {
    CHECK(std::isnan(scale));
    return;
  }
  float expected = largest / 127.0F;
  const float inverse = 1.0F / expected;
  const bool zero = expected == 0.0F || !std::isfinite(inverse);
  if (zero) expected = 0.0F;
  CHECK(bits(scale) == bits(expected));
  for (std::size_t i = 0; i < n; ++i)
    CHECK(values[i] == (zero ? 0 : static_cast<int>(std::nearbyint(x[i] * inverse))));
}

constexpr ActivationForm kForms[] = {ActivationForm::f32, ActivationForm::bf16, ActivationForm::q8_32,
                                     ActivationForm::q8_256};
static_assert(std::size(kForms) == kActivationForms);

}  // namespace

TEST_CASE("each type of weights has a form of activations", "[packed]") {
  CHECK(activation_form(DType::f32) == ActivationForm::f32);
  CHECK(activation_form(DType::f16) == ActivationForm::f32);
  CHECK(activation_form(DType::bf16) == ActivationForm::bf16);
  for (const DTypeTraits& traits : kDTypeTraits)
    if (traits.block_elements > 1)
      CHECK(activation_form(traits.dtype) ==
            (traits.block_elements == 32 ? ActivationForm::q8_32 : ActivationForm::q8_256));
}

TEST_CASE("rows and arrays of activations lie apart and aligned", "[packed]") {
  for (const ActivationForm form : kForms)
    for (const std::size_t cols : {std::size_t{256}, std::size_t{768}}) {
      constexpr std::size_t kRows = 3;
      AlignedBytes memory(activation_bytes(form, kRows, cols));
      const ActivationView view = activations_in(memory.data(), form, kRows, cols);
      CHECK(view.rows == kRows);
      CHECK(view.cols == cols);
      CHECK(view.stride % 64 == 0);
      const std::size_t blocks = form == ActivationForm::q8_32    ? cols / 32
                                 : form == ActivationForm::q8_256 ? cols / 256
                                                                  : 0;
      CHECK(view.blocks() == blocks);
      CHECK(view.values == memory.data());
      const std::byte* end = view.row_values(kRows);
      const auto follows = [&](const void* array, std::size_t bytes, bool there) {
        CHECK((array != nullptr) == there);
        if (!there) return;
        const auto* begin = static_cast<const std::byte*>(array);
        CHECK(begin >= end);
        CHECK((begin - view.values) % 64 == 0);
        end = begin + bytes;
      };
      follows(view.scales, kRows * blocks * 4, blocks != 0);
      follows(view.sums, kRows * blocks * 4, form == ActivationForm::q8_32);
      follows(view.groups, kRows * blocks * 24 * 2, form == ActivationForm::q8_256);
      CHECK(static_cast<std::size_t>(end - view.values) <= activation_bytes(form, kRows, cols));

      const ActivationView middle = view.middle_rows(1, 2);
      CHECK(middle.rows == 2);
      CHECK(middle.row_values(1) == view.row_values(2));
      if (blocks == 0) continue;
      CHECK(middle.row_scales(1) == view.row_scales(2));
      if (form == ActivationForm::q8_32)
        CHECK(middle.row_sums(1) == view.row_sums(2));
      else
        CHECK(middle.row_groups(1) == view.row_groups(2));
    }
  CHECK(activations_in(nullptr, ActivationForm::f32, 1, 17).stride == 128);
  CHECK(activations_in(nullptr, ActivationForm::bf16, 1, 33).stride == 128);
  CHECK(activations_in(nullptr, ActivationForm::q8_32, 1, 96).stride == 128);
}

TEST_CASE("8-bit activations are what their blocks round to", "[packed]") {
  constexpr std::size_t kRows = 18, kCols = 512;
  for (const ActivationForm form : {ActivationForm::q8_32, ActivationForm::q8_256}) {
    Activations to(form, kRows, kCols);
    const ActivationView& view = to.view;
    const std::size_t width = view.block_cols();
    const std::vector<float> x = hard_rows(kRows, kCols, width);
    for (std::size_t row = 0; row < kRows; ++row) {
      packed_kernels(Isa::scalar).quantize(x.data() + row * kCols, view, row);
      for (std::size_t b = 0; b < view.blocks(); ++b) {
        const auto* values = reinterpret_cast<const std::int8_t*>(view.row_values(row)) + b * width;
        INFO("row " << row << " block " << b);
        check_block(x.data() + row * kCols + b * width, width, values, view.row_scales(row)[b]);
        int sums[8] = {}, halves[16] = {};
        for (std::size_t i = 0; i < width; ++i) {
          sums[i / 32] += values[i];
          halves[i / 16] += values[i];
        }
        if (form == ActivationForm::q8_32) {
          CHECK(view.row_sums(row)[b] == sums[0]);
          continue;
        }
        const std::int16_t* groups = view.row_groups(row) + b * ActivationView::kGroupSums;
        for (std::size_t i = 0; i < 8; ++i) CHECK(groups[i] == sums[i]);
        for (std::size_t i = 0; i < 16; ++i) CHECK(groups[8 + i] == halves[i]);
      }
    }
  }
}

TEST_CASE("activations have the same bits on every instruction set", "[packed]") {
  for (const ActivationForm form : kForms) {
    const bool plain = form == ActivationForm::f32 || form == ActivationForm::bf16;
    const std::vector<std::size_t> widths = plain ? std::vector<std::size_t>{1, 2, 15, 16, 17, 31, 33, 576}
                                            : form == ActivationForm::q8_32
                                                ? std::vector<std::size_t>{32, 64, 96, 576}
                                                : std::vector<std::size_t>{256, 768};
    for (const std::size_t cols : widths) {
      constexpr std::size_t kRows = 11;
      Activations expected(form, kRows, cols);
      const std::size_t block = plain ? std::min<std::size_t>(cols, 32) : expected.view.block_cols();
      const std::vector<float> x =
          hard_rows(kRows, cols, std::max<std::size_t>(block, 3) > cols ? cols + 1 : block);
      for (std::size_t row = 0; row < kRows; ++row)
        packed_kernels(Isa::scalar).quantize(x.data() + row * cols, expected.view, row);
      const std::size_t used = plain ? cols * (form == ActivationForm::f32 ? 4 : 2) : cols;
      for (std::size_t row = 0; row < kRows; ++row)
        for (std::size_t i = used; i < expected.view.stride; ++i)
          CHECK(expected.view.row_values(row)[i] == std::byte{0});
      for (const Isa isa : available_isas()) {
        INFO(name_of(isa) << " form " << static_cast<int>(form) << " cols " << cols);
        Activations found(form, kRows, cols);
        for (std::size_t row = kRows; row-- > 0;)
          packed_kernels(isa).quantize(x.data() + row * cols, found.view, row);
        CHECK(found.bytes() == expected.bytes());
      }
    }
  }
}

TEST_CASE("bf16 is rounded to nearest and widened exactly on every instruction set", "[packed]") {
  std::vector<float> x = {0.0F, -0.0F, 1.0F, kInfinity, -kInfinity, kNan, 3.4e38F, -3.4e38F, 1e-45F, -1e-40F};
  for (const std::uint32_t upper :
       {0x0000U, 0x0001U, 0x007fU, 0x0080U, 0x3f80U, 0x3f81U, 0x7f7fU, 0x7f80U, 0xff80U})
    for (const std::uint32_t lower : {0x0000U, 0x0001U, 0x7fffU, 0x8000U, 0x8001U, 0xffffU})
      x.push_back(std::bit_cast<float>(upper << 16 | lower));
  while (x.size() % 16 != 7) x.push_back(random_floats(1, static_cast<unsigned>(x.size()))[0]);
  for (const Isa isa : available_isas()) {
    INFO(name_of(isa));
    for (std::size_t n = 0; n <= x.size(); ++n) {
      std::vector<std::uint16_t> narrow(n + 1, 0x1234);
      packed_kernels(isa).to_bf16(x.data(), n, narrow.data());
      CHECK(narrow[n] == 0x1234);
      std::vector<float> wide(n + 1, 5.0F);
      packed_kernels(isa).from_bf16(narrow.data(), n, wide.data());
      CHECK(wide[n] == 5.0F);
      for (std::size_t i = 0; i < n; ++i) {
        CHECK(narrow[i] == float_to_bf16(x[i]));
        CHECK(bits(wide[i]) == std::uint32_t{narrow[i]} << 16);
      }
    }
  }
}
