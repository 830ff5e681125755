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

constexpr ActivationForm kForms[] = {ActivationForm::f32, ActivationForm::bf16, ActivationForm::bf16_pair,
                                     ActivationForm::q8_32, ActivationForm::q8_256};
static_assert(std::size(kForms) == kActivationForms);

bool is_8_bit(ActivationForm form) {
  return form == ActivationForm::q8_32 || form == ActivationForm::q8_256;
}

/// A row's outliers as activations.h defines them; `x` is left without.
std::vector<Outlier> take_outliers(std::vector<float>& x) {
  std::vector<float> sums(16, 0.0F);
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % 16] += std::fabs(x[i]);
  for (const std::size_t half : {8U, 4U, 2U, 1U})
    for (std::size_t i = 0; i < half; ++i) sums[i] = sums[i] + sums[i + half];
  const float bound = 4.0F * (sums[0] / static_cast<float>(x.size()));
  std::vector<Outlier> outliers;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::fabs(x[i]) > bound) {
      outliers.push_back({static_cast<std::uint32_t>(i), x[i]});
      x[i] = 0.0F;
    }
  return outliers;
}

/// Rows with large values here and there, of both signs; the last rows have as many as there can be, and the same value
/// everywhere.
std::vector<float> rows_with_outliers(std::size_t rows, std::size_t cols) {
  std::vector<float> x = random_floats(rows * cols, 19);
  for (std::size_t i = 0; i < x.size(); i += 1 + i / cols * 7) x[i] *= 30.0F;
  for (std::size_t i = 0; i < cols; ++i) {
    x[(rows - 2) * cols + i] = i % 5 == 3 ? -2.0F : 0.0F;
    x[(rows - 1) * cols + i] = 3.0F;
  }
  return x;
}

}  // namespace

TEST_CASE("each type of weights has a form of activations", "[packed]") {
  for (const Isa isa : available_isas()) {
    const PackedKernels& kernels = packed_kernels(isa);
    CHECK(kernels.form(DType::f32) == ActivationForm::f32);
    CHECK(kernels.form(DType::f16) == ActivationForm::f32);
    CHECK(kernels.form(DType::bf16) == (isa == Isa::amx ? ActivationForm::bf16_pair : ActivationForm::f32));
    for (const DTypeTraits& traits : kDTypeTraits)
      if (traits.block_elements > 1)
        CHECK(kernels.form(traits.dtype) ==
              (traits.block_elements == 32 ? ActivationForm::q8_32 : ActivationForm::q8_256));
  }
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
      follows(view.outliers, kRows * most_outliers(cols) * sizeof(Outlier), is_8_bit(form));
      follows(view.outlier_counts, kRows * 4, is_8_bit(form));
      CHECK(view.has_outliers() == is_8_bit(form));
      CHECK(static_cast<std::size_t>(end - view.values) <= activation_bytes(form, kRows, cols));

      const ActivationView middle = view.middle_rows(1, 2);
      CHECK(middle.rows == 2);
      CHECK(middle.row_values(1) == view.row_values(2));
      if (blocks == 0) continue;
      CHECK(middle.row_scales(1) == view.row_scales(2));
      CHECK(middle.row_outliers(1) == view.row_outliers(2));
      CHECK(middle.outlier_counts + 1 == view.outlier_counts + 2);
      if (form == ActivationForm::q8_32)
        CHECK(middle.row_sums(1) == view.row_sums(2));
      else
        CHECK(middle.row_groups(1) == view.row_groups(2));
    }
  CHECK(activations_in(nullptr, ActivationForm::f32, 1, 17).stride == 128);
  CHECK(activations_in(nullptr, ActivationForm::bf16, 1, 33).stride == 128);
  CHECK(activations_in(nullptr, ActivationForm::bf16_pair, 1, 33).stride == 256);
  CHECK(activations_in(nullptr, ActivationForm::bf16_pair, 1, 33).second() == 128);
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
      std::vector<float> rest(x.data() + row * kCols, x.data() + (row + 1) * kCols);
      take_outliers(rest);
      for (std::size_t b = 0; b < view.blocks(); ++b) {
        const auto* values = reinterpret_cast<const std::int8_t*>(view.row_values(row)) + b * width;
        INFO("row " << row << " block " << b);
        check_block(rest.data() + b * width, width, values, view.row_scales(row)[b]);
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
    const bool plain = !is_8_bit(form);
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
      const std::size_t part =
          form == ActivationForm::bf16_pair ? expected.view.second() : expected.view.stride;
      for (std::size_t row = 0; row < kRows; ++row)
        for (std::size_t i = 0; i < expected.view.stride; ++i)
          if (i % part >= used) CHECK(expected.view.row_values(row)[i] == std::byte{0});
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

TEST_CASE("8-bit activations keep their outliers on every instruction set", "[packed]") {
  constexpr std::size_t kRows = 9;
  for (const ActivationForm form : {ActivationForm::q8_32, ActivationForm::q8_256})
    for (const std::size_t cols : {std::size_t{256}, std::size_t{768}}) {
      const std::vector<float> x = rows_with_outliers(kRows, cols);
      for (const Isa isa : available_isas()) {
        INFO(name_of(isa) << " form " << static_cast<int>(form) << " cols " << cols);
        Activations to(form, kRows, cols);
        std::size_t all = 0;
        for (std::size_t row = 0; row < kRows; ++row) {
          packed_kernels(isa).quantize(x.data() + row * cols, to.view, row);
          std::vector<float> rest(x.data() + row * cols, x.data() + (row + 1) * cols);
          const std::vector<Outlier> outliers = take_outliers(rest);
          all += outliers.size();
          REQUIRE(to.view.outlier_counts[row] == outliers.size());
          for (std::size_t i = 0; i < outliers.size(); ++i) {
            CHECK(to.view.row_outliers(row)[i].col == outliers[i].col);
            CHECK(bits(to.view.row_outliers(row)[i].x) == bits(outliers[i].x));
          }
          const std::size_t width = to.view.block_cols();
          for (std::size_t b = 0; b < to.view.blocks(); ++b) {
            const auto* values = reinterpret_cast<const std::int8_t*>(to.view.row_values(row)) + b * width;
            check_block(rest.data() + b * width, width, values, to.view.row_scales(row)[b]);
          }
        }
        CHECK(to.view.outlier_counts[kRows - 2] == cols / 5);
        CHECK(to.view.outlier_counts[kRows - 1] == 0);
        CHECK(all > cols / 5);
      }
    }
}

TEST_CASE("more outliers than there is room for stay with the rest", "[packed]") {
  // So small that their mean rounds to zero: every value that is not zero would be one.
  constexpr std::size_t kCols = 256;
  std::vector<float> x(kCols, 0.0F);
  for (std::size_t i = 0; i < kCols; i += 2) x[i] = 1e-45F;
  for (const ActivationForm form : {ActivationForm::q8_32, ActivationForm::q8_256})
    for (const Isa isa : available_isas()) {
      INFO(name_of(isa));
      Activations to(form, 1, kCols);
      packed_kernels(isa).quantize(x.data(), to.view, 0);
      REQUIRE(to.view.outlier_counts[0] == most_outliers(kCols));
      for (std::size_t i = 0; i < most_outliers(kCols); ++i) {
        CHECK(to.view.row_outliers(0)[i].col == 2 * i);
        CHECK(to.view.row_outliers(0)[i].x == 1e-45F);
      }
      CHECK(to.view.row_scales(0)[0] == 0.0F);
    }
}

TEST_CASE("a pair of bf16 is the value but for its last bits", "[packed]") {
  const std::vector<float> x = random_floats(333, 23, -50.0, 50.0);
  for (const Isa isa : available_isas()) {
    INFO(name_of(isa));
    Activations to(ActivationForm::bf16_pair, 1, x.size());
    packed_kernels(isa).quantize(x.data(), to.view, 0);
    const auto* first = reinterpret_cast<const std::uint16_t*>(to.view.row_values(0));
    const auto* second = reinterpret_cast<const std::uint16_t*>(to.view.row_values(0) + to.view.second());
    float worst = 0.0F;
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(first[i] == float_to_bf16(x[i]));
      const float left = x[i] - bf16_to_float(first[i]) - bf16_to_float(second[i]);
      CHECK(std::fabs(left) <= 0x1p-17F * std::fabs(x[i]));
      worst = std::fmax(worst, std::fabs(left));
    }
    CHECK(worst > 0.0F);
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
