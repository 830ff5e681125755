// Panels of quantized types: every instruction set and number of rows gives the bits of the formulas.
#include <catch2/catch.hpp>

#include <bit>
#include <limits>
#include <span>
#include <utility>

#include "block_job.h"
#include "kernels/isa.h"

using namespace mla;

namespace {

struct NamedKernels {
  Isa isa;
  const BlockKernels* kernels;
};

std::vector<NamedKernels> runnable() {
  std::vector<NamedKernels> list;
  for (const Isa isa : available_isas()) {
    if (isa == Isa::scalar) list.push_back({isa, &kScalarBlocks});
#if defined(__x86_64__)
    if (isa == Isa::avx2) list.push_back({isa, &kAvx2Blocks});
    if (isa == Isa::avxvnni) list.push_back({isa, &kAvxVnniBlocks});
    if (isa == Isa::avx512) list.push_back({isa, &kAvx512Blocks});
    if (isa == Isa::avx512vnni) list.push_back({isa, &kAvx512VnniBlocks});
#elif defined(__aarch64__)
    if (isa == Isa::neon) list.push_back({isa, &kNeonBlocks});
    if (isa == Isa::neon_dotprod) list.push_back({isa, &kNeonDotprodBlocks});
    if (isa == Isa::neon_i8mm) list.push_back({isa, &kNeonI8mmBlocks});
#endif
  }
  return list;
}

std::vector<DType> block_types() {
  std::vector<DType> list;
  for (const DTypeTraits& traits : kDTypeTraits)
    if (is_quantized(traits.dtype)) list.push_back(traits.dtype);
  return list;
}

/// How many differ in a bit; all NaN are the same.
int differences(std::span<const float> found, std::span<const float> expected) {
  REQUIRE(found.size() == expected.size());
  int count = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool both_nan = std::isnan(found[i]) && std::isnan(expected[i]);
    count += both_nan || std::bit_cast<std::uint32_t>(found[i]) == std::bit_cast<std::uint32_t>(expected[i])
                 ? 0
                 : 1;
  }
  return count;
}

std::vector<float> formulas(const PackedWeights& weights, const QuantizedActivations& x, std::size_t tokens) {
  std::vector<float> y;
  for (std::size_t token = 0; token < tokens; ++token)
    for (std::size_t row = 0; row < weights.rows(); ++row) y.push_back(formula(weights, x, row, token));
  return y;
}

/// Halves of random size and sign.
auto random_halves(unsigned seed) {
  return [source = std::mt19937(seed)]() mutable { return static_cast<float>(source()) * 0x1p-32F - 0.4F; };
}

/// A weight in float32.
float real_weight(const PanelReader& panel, std::size_t row, std::size_t col) {
  const auto code = static_cast<float>(panel.weight(row, col));
  const bool small = panel.block() == 32;
  const float d = panel.d(row, col) * (small ? 1.0F : static_cast<float>(panel.scale(row, col)));
  if (!panel.has_min()) return code * d;
  if (small) return std::fma(code, d, panel.m(row, col));
  return std::fma(code, d, -(panel.m(row, col) * static_cast<float>(panel.min(row, col))));
}

/// All kernels against the formulas.
void check_all(const PackedWeights& weights, const QuantizedActivations& x, std::size_t tokens) {
  const std::vector<float> expected = formulas(weights, x, tokens);
  for (const NamedKernels& named : runnable()) {
    INFO(name_of(named.isa) << ", " << dtype_name(weights.dtype()) << ", " << tokens << " tokens, "
                            << weights.rows() << " rows of " << weights.cols());
    CHECK(differences(multiply(*named.kernels, weights, x.view()), expected) == 0);
  }
}

}  // namespace

TEST_CASE("products of quantized panels have the bits of the formulas", "[packed]") {
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    for (const auto& [tokens, rows, blocks] :
         {std::array<std::size_t, 3>{1, 16, 1}, {1, 37, 3}, {2, 1, 2}, {3, 15, 1}, {5, 33, 2}, {14, 17, 3}}) {
      const std::size_t cols = blocks * block;
      const PackedWeights weights(dtype, rows, cols, 11, random_halves(3));
      const QuantizedActivations x(tokens, cols, block, random_floats(tokens * cols, 5, -3.0, 3.0));
      check_all(weights, x, tokens);
    }
  }
}

TEST_CASE("a row of activations has the same products beside any others", "[packed]") {
  constexpr std::size_t kTokens = 401;  // More than pass a panel at a time.
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    const std::size_t cols = 768;
    const PackedWeights weights(dtype, 18, cols, 21, random_halves(4));
    const QuantizedActivations x(kTokens, cols, block, random_floats(kTokens * cols, 6));
    const std::vector<float> expected = multiply(*runnable().back().kernels, weights, x.view());
    for (const NamedKernels& named : runnable()) {
      INFO(name_of(named.isa) << ", " << dtype_name(dtype));
      if (named.isa != Isa::scalar)  // Which does not look beside, and is slow.
        CHECK(differences(multiply(*named.kernels, weights, x.view()), expected) == 0);
      std::size_t first = 0;
      for (const std::size_t count : {1U, 2U, 3U, 4U, 6U, 7U, 9U, 11U, 12U, 13U}) {
        ActivationView some = x.view();
        some.rows = count;
        some.values += first * some.stride;
        some.scales += first * (cols / block);
        if (some.sums != nullptr) some.sums += first * (cols / block);
        if (some.groups != nullptr) some.groups += first * (cols / block) * ActivationView::kGroupSums;
        const std::span<const float> here =
            std::span(expected).subspan(first * weights.rows(), count * weights.rows());
        CHECK(differences(multiply(*named.kernels, weights, some), here) == 0);
        first += count;
      }
    }
  }
}

TEST_CASE("the largest codes and activations overflow nothing", "[packed]") {
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    for (const int fill : {0x00, 0xff, 0x80, 0x7f})
      for (const int sign : {1, -1, 0}) {
        const auto filled = [&](std::vector<std::byte>& bytes) {
          std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(fill));
          for (std::size_t at = 1; at < bytes.size(); at += dtype_traits(dtype).block_bytes)
            for (const std::size_t half : halves_of(dtype)) {
              bytes[at + half] = std::byte{0};
              bytes[at + half + 1] = std::byte{0x3c};  // 1
            }
        };
        const PackedWeights weights(
            dtype, 16, 2 * block, 1, [] { return 1.0F; }, filled);
        for (const std::size_t tokens : {1U, 12U}) {
          QuantizedActivations x(tokens, 2 * block, block, random_floats(2 * block * tokens, 1));
          x.set_values([&](std::size_t, std::size_t col) {
            return sign != 0 ? 127 * sign : col % 2 == 0 ? 127 : -127;
          });
          check_all(weights, x, tokens);
        }
      }
  }
}

TEST_CASE("scales that are zero, subnormal, infinite or NaN give what the formulas give", "[packed]") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    for (const float special : {0.0F, -0.0F, 0x1p-24F, 0x1.8p-15F, kInfinity, -kInfinity, kNan}) {
      int next = 0;
      const auto halves = [&] { return ++next % 3 == 0 ? special : 0.25F; };
      const PackedWeights weights(dtype, 19, 4 * block, 31, halves);
      for (const std::size_t tokens : {1U, 4U}) {
        INFO("half " << special);
        QuantizedActivations x(tokens, 4 * block, block, random_floats(tokens * 4 * block, 8));
        check_all(weights, x, tokens);
        x.set_scale(0, 1, kNan);
        check_all(weights, x, tokens);
        x.set_scale(0, 1, 0x1p-140F);
        check_all(weights, x, tokens);
        QuantizedActivations zeros(tokens, 4 * block, block, std::vector<float>(tokens * 4 * block));
        check_all(weights, zeros, tokens);
      }
    }
  }
}

TEST_CASE("products of quantized panels are near the exact ones", "[packed]") {
  // |value * scale - x| <= scale * (1 / 2 + 127 * 3 * 2^-24): half a step, and the roundings of 1 / scale and of the
  // product. A term takes at most 4 roundings before it is added, and one for each that follows, at most 2 a block.
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    const std::size_t cols = 4 * block;
    const PackedWeights weights(dtype, 16, cols, 41, random_halves(9));
    const std::vector<float> original = random_floats(cols, 10);
    const QuantizedActivations x(1, cols, block, original);
    for (const NamedKernels& named : runnable()) {
      const std::vector<float> y = multiply(*named.kernels, weights, x.view());
      double worst = 0.0;
      for (std::size_t row = 0; row < 16; ++row) {
        const PanelReader panel = weights.panel_of(row);
        double exact = 0.0;
        double bound = 0.0;
        double terms = 0.0;
        for (std::size_t col = 0; col < cols; ++col) {
          const double d = panel.d(row, col);
          const double scale = block == 32 ? 1.0 : panel.scale(row, col);
          const double m = !panel.has_min() ? 0.0
                           : block == 32    ? panel.m(row, col)
                                            : -double{panel.m(row, col)} * panel.min(row, col);
          const double weight = d * scale * panel.weight(row, col) + m;
          const double step = x.scale(0, col);
          exact += weight * original[col];
          bound += std::abs(weight) * step * (0.5 + 127.0 * 3.0 * kRoundoff);
          terms += (std::abs(weight - m) + std::abs(m)) * step * std::abs(x.value(0, col));
        }
        worst = std::max(worst, excess(y[row], exact, bound + sum_error(4 + 2 * cols / block) * terms));
      }
      INFO(name_of(named.isa) << ", " << dtype_name(dtype));
      CHECK(worst <= 1.0);
      CHECK(worst > 0.0);
    }
  }
}

TEST_CASE("outliers are added with the bits of the formulas", "[packed]") {
  std::mt19937 engine(51);
  const auto source = [&] { return static_cast<std::uint32_t>(engine()); };
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    const std::size_t cols = 3 * block;
    for (const std::size_t rows : {1U, 16U, 45U, 64U, 113U}) {
      const PackedWeights weights(dtype, rows, cols, 61, random_halves(12));
      for (const std::size_t tokens : {1U, 4U, 5U, 41U}) {
        std::vector<Outlier> outliers(tokens * most_outliers(cols));
        std::vector<std::uint32_t> counts;
        for (std::size_t token = 0; token < tokens; ++token) {
          Outlier* const list = outliers.data() + token * most_outliers(cols);
          std::uint32_t count = 0;
          for (std::uint32_t col = source() % 9; col < cols && count < most_outliers(cols);
               col += 1 + source() % 40)
            list[count++] = {col, static_cast<float>(source()) * 0x1p-26F - 32.0F};
          counts.push_back(token % 7 == 6 ? 0 : count);
        }
        const std::vector<float> before = random_floats(tokens * rows, 13);
        std::vector<float> expected = before;
        for (std::size_t token = 0; token < tokens; ++token)
          for (std::size_t i = 0; i < counts[token]; ++i)
            for (std::size_t row = 0; row < rows; ++row) {
              const Outlier& outlier = outliers[token * most_outliers(cols) + i];
              float& y = expected[token * rows + row];
              y = std::fma(real_weight(weights.panel_of(row), row % 16, outlier.col), outlier.x, y);
            }
        for (const Isa isa : available_isas()) {
          INFO(name_of(isa) << ", " << dtype_name(dtype) << ", " << tokens << " tokens, " << rows << " rows");
          std::vector<float> y = before;
          const PackedKernels& kernels = packed_kernels(isa);
          AlignedBytes scratch(kernels.scratch_bytes(cols));
          kernels.add_outliers[static_cast<std::size_t>(dtype)]({.panels = weights.panels(),
                                                                 .panel_bytes = weights.panel_bytes(),
                                                                 .rows = rows,
                                                                 .cols = cols,
                                                                 .x = {.rows = tokens,
                                                                       .cols = cols,
                                                                       .outliers = outliers.data(),
                                                                       .outlier_counts = counts.data()},
                                                                 .y = {y.data(), tokens, rows, rows},
                                                                 .scratch = scratch.data()});
          CHECK(differences(y, expected) == 0);
        }
      }
    }
  }
}
