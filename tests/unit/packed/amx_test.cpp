// Panels on AMX tiles: quantized types have the bits of the formulas for all shapes of tiles, BF16 is near the exact
// sums and does not depend on the other tokens.
#if defined(__x86_64__)
#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "block_job.h"
#include "kernels/isa.h"
#include "packed/amx_kernels.h"
#include "packed/panel.h"
#include "tensor/scalar.h"

using namespace mla;

namespace {

bool have_amx() {
  for (const Isa isa : available_isas())
    if (isa == Isa::amx) return true;
  WARN("No AMX here: nothing to test.");
  return false;
}

bool same_bits(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

template <DType kType>
void on_tiles(const PanelJob& job) {
  multiply_blocks_amx(kType, job);
}

template <std::size_t... kTypes>
BlockKernels only_tiles(std::index_sequence<kTypes...>) {
  return {{on_tiles<static_cast<DType>(kTypes)>...}, block_scratch_bytes_amx};
}

/// How many products differ from those of the scalar kernels.
int differences(const PackedWeights& weights, const QuantizedActivations& x, std::size_t tokens) {
  ActivationView view = x.view();
  view.rows = tokens;
  const std::vector<float> expected = multiply(kScalarBlocks, weights, view);
  // On tiles whatever the number of tokens.
  const BlockKernels tiles = only_tiles(std::make_index_sequence<kDTypeTraits.size()>());
  const std::vector<float> found = multiply(tiles, weights, view);
  const std::vector<float> chosen = multiply(kAmxBlocks, weights, view);
  int count = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    count += same_bits(found[i], expected[i]) && same_bits(chosen[i], expected[i]) ? 0 : 1;
  return count;
}

std::vector<DType> block_types() {
  std::vector<DType> list;
  for (const DTypeTraits& traits : kDTypeTraits)
    if (traits.block_elements > 1) list.push_back(traits.dtype);
  return list;
}

auto random_halves(unsigned seed) {
  return [source = std::mt19937(seed)]() mutable { return static_cast<float>(source()) * 0x1p-32F - 0.4F; };
}

/// Random weights of BF16 and activations in bf16 or pairs of them.
class Bf16Job {
 public:
  Bf16Job(std::size_t rows, std::size_t cols, std::size_t tokens, ActivationForm form)
      : Bf16Job(rows, cols, tokens, form, random_floats(rows * cols, 1), random_floats(tokens * cols, 2)) {}

  Bf16Job(std::size_t rows, std::size_t cols, std::size_t tokens, ActivationForm form,
          std::vector<float> weights, std::vector<float> x)
      : rows_(rows),
        cols_(cols),
        tokens_(tokens),
        w_(rounded(std::move(weights))),
        x_(std::move(x)),
        panel_bytes_(panel_shape(DType::bf16, cols).bytes),
        panels_((rows + 15) / 16 * panel_bytes_),
        activations_(activation_bytes(form, tokens, cols)),
        view_(activations_in(activations_.data(), form, tokens, cols)) {
    if (form == ActivationForm::bf16) x_ = rounded(x_);
    std::vector<std::uint16_t> bits;
    for (const float value : w_) bits.push_back(float_to_bf16(value));
    for (std::size_t first = 0; first < rows; first += 16) {
      std::vector<const std::byte*> sources;
      for (std::size_t row = first; row < std::min(rows, first + 16); ++row)
        sources.push_back(reinterpret_cast<const std::byte*>(bits.data() + row * cols));
      pack_panel(DType::bf16, sources, cols, panels_.data() + first / 16 * panel_bytes_);
    }
    for (std::size_t token = 0; token < tokens; ++token)
      packed_kernels(Isa::scalar).quantize(x_.data() + token * cols, view_, token);
  }

  std::vector<float> products(std::size_t first, std::size_t count) const {
    std::vector<float> y(count * rows_);
    const PackedKernels& kernels = packed_kernels(Isa::amx);
    AlignedBytes scratch(kernels.scratch_bytes(cols_));
    const PanelJob job{.panels = panels_.data(),
                       .panel_bytes = panel_bytes_,
                       .rows = rows_,
                       .cols = cols_,
                       .x = view_.middle_rows(first, count),
                       .y = {y.data(), count, rows_, rows_},
                       .scratch = scratch.data()};
    kernels.multiply[static_cast<std::size_t>(DType::bf16)](job);
    return y;
  }

  std::vector<float> one_by_one() const {
    std::vector<float> all;
    for (std::size_t token = 0; token < tokens_; ++token)
      for (const float value : products(token, 1)) all.push_back(value);
    return all;
  }

  struct Sum {
    double exact, magnitude;
  };
  Sum exact(std::size_t token, std::size_t row) const {
    Sum sum{0.0, 0.0};
    for (std::size_t col = 0; col < cols_; ++col) {
      const double product = static_cast<double>(w_[row * cols_ + col]) * x_[token * cols_ + col];
      sum.exact += product;
      sum.magnitude += std::abs(product);
    }
    return sum;
  }

 private:
  static std::vector<float> rounded(std::vector<float> values) {
    for (float& value : values) value = bf16_to_float(float_to_bf16(value));
    return values;
  }

  std::size_t rows_, cols_, tokens_;
  std::vector<float> w_, x_;
  std::size_t panel_bytes_;
  AlignedBytes panels_, activations_;
  ActivationView view_;
};

/// Values of all magnitudes from 2^lowest to 2^highest, with zeros among them.
std::vector<float> spread(std::size_t count, unsigned seed, int lowest, int highest) {
  std::vector<float> values = random_floats(count, seed);
  for (std::size_t i = 0; i < count; ++i) {
    const auto span = static_cast<std::size_t>(highest - lowest + 1);
    values[i] = i % 7 == 0 ? 0.0F : std::ldexp(values[i], lowest + static_cast<int>(i * 5 % span));
  }
  return values;
}

struct Shape {
  std::size_t rows, cols;
  ActivationForm form;
};
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const std::size_t rows : {1U, 17U, 48U, 80U})
    for (const std::size_t cols : {2U, 33U, 416U})
      for (const ActivationForm form : {ActivationForm::bf16, ActivationForm::bf16_pair})
        all.push_back({rows, cols, form});
  return all;
}

}  // namespace

TEST_CASE("AMX gives the bits of the scalar kernels for all shapes of tiles", "[packed]") {
  if (!have_amx()) return;
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    for (const std::size_t rows : {1U, 15U, 17U, 48U, 80U})
      for (const std::size_t cols : {block, 9 * block, std::size_t{2048}}) {
        if (cols == 2048 && rows != 17) continue;
        const PackedWeights weights(dtype, rows, cols, 11, random_halves(3));
        const QuantizedActivations x(100, cols, block, random_floats(100 * cols, 5, -3.0, 3.0));
        for (const std::size_t tokens : {1U,  2U,  3U,  4U,  5U,  6U,  7U,  8U,  9U,  10U, 11U,
                                         12U, 13U, 14U, 15U, 16U, 17U, 33U, 48U, 49U, 65U, 100U}) {
          INFO(dtype_name(dtype) << ", " << tokens << " tokens, " << rows << " rows of " << cols);
          CHECK(differences(weights, x, tokens) == 0);
        }
      }
  }
}

TEST_CASE("AMX carries zero, infinite and undefined scales as the scalar kernels do", "[packed]") {
  if (!have_amx()) return;
  const float infinity = std::numeric_limits<float>::infinity();
  for (const DType dtype : block_types()) {
    const std::size_t block = dtype_traits(dtype).block_elements;
    for (const float special : {0.0F, infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
      int calls = 0;
      const PackedWeights weights(dtype, 17, 2 * block, 7,
                                  [&] { return ++calls % 5 == 0 ? special : 0.25F; });
      std::vector<float> values = random_floats(33 * 2 * block, 8);
      for (std::size_t i = 0; i < block; ++i) values[i] = 0.0F;  // A block of zeros.
      values[3 * block] = special;
      const QuantizedActivations x(33, 2 * block, block, values);
      INFO(dtype_name(dtype) << ", " << special);
      CHECK(differences(weights, x, 33) == 0);
    }
  }
}

TEST_CASE("BF16 on tiles is near the exact sums and the same beside any other tokens", "[packed]") {
  if (!have_amx()) return;
  constexpr std::size_t kTokens = 100;
  for (const auto& [rows, cols, form] : shapes()) {
    const Bf16Job job(rows, cols, kTokens, form);
    const bool pair = form == ActivationForm::bf16_pair;
    const std::vector<float> alone = job.one_by_one();
    for (std::size_t i = 0; i < alone.size(); ++i) {
      // Two roundings for each pair of columns, each of at most 2^-24 of the sum of all magnitudes. Activations in pairs
      // have two such sums and are exact to 2^-17.
      const auto [exact, magnitude] = job.exact(i / rows, i % rows);
      const double roundings = static_cast<double>(pair ? 2 * cols + 2 : cols + 2) * 0x1p-24;
      REQUIRE(std::abs(alone[i] - exact) <= (roundings + (pair ? 0x1p-17 : 0.0)) * magnitude);
    }
    for (const std::size_t tokens : {2U, 9U, 15U, 16U, 17U, 32U, 33U, 48U, 49U, 65U, 100U}) {
      const std::vector<float> together = job.products(0, tokens);
      bool same = true;
      for (std::size_t i = 0; i < together.size(); ++i) same = same && same_bits(together[i], alone[i]);
      INFO(tokens << " tokens, " << rows << " rows of " << cols);
      CHECK(same);
    }
  }
}

TEST_CASE("BF16 by vectors has the bits of tiles, subnormal numbers and infinities included", "[packed]") {
  if (!have_amx()) return;
  constexpr std::size_t kTokens = 3;
  struct Magnitudes {
    int lowest_weight, highest_weight, lowest_x, highest_x;
  };
  for (const auto& [rows, cols, form] : shapes())
    for (const Magnitudes& range : {Magnitudes{-30, 30, -30, 30},     // Nothing special,
                                    Magnitudes{-133, -100, -20, 10},  // subnormal weights and products,
                                    Magnitudes{-20, 10, -140, -110},  // subnormal activations,
                                    Magnitudes{-70, -50, -80, -60},   // sums around the least normal number,
                                    Magnitudes{60, 100, 20, 60}}) {   // and sums that overflow.
      const Bf16Job job(rows, cols, kTokens, form,
                        spread(rows * cols, 3, range.lowest_weight, range.highest_weight),
                        spread(kTokens * cols, 4, range.lowest_x, range.highest_x));
      const std::vector<float> together = job.products(0, kTokens);
      const std::vector<float> alone = job.one_by_one();
      bool same = true;
      for (std::size_t i = 0; i < alone.size(); ++i)
        same =
            same && (same_bits(together[i], alone[i]) || (std::isnan(together[i]) && std::isnan(alone[i])));
      INFO(rows << " rows of " << cols << ", from 2^" << range.lowest_weight);
      CHECK(same);
    }
}

#endif
