// Panels of F32, F16 and BF16 on every instruction set: against the plain loops bit for bit where the header promises
// it, and against double precision within the error of float32 sums.
#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <vector>

#include "../kernels/rounding.h"
#include "aligned_bytes.h"
#include "packed/packed_kernels.h"
#include "tensor/scalar.h"

using namespace mla;

namespace {

/// Types of weights, and whether activations are narrow: in bf16, as attention has them, and not in the form that float32
/// rows are brought into.
struct Types {
  DType weights;
  bool narrow;
};
constexpr Types kTypes[] = {
    {DType::f32, false}, {DType::f16, false}, {DType::bf16, false}, {DType::bf16, true}};
constexpr float kUntouched = 77.0F;

float rounded_to(DType dtype, float value) {
  if (dtype == DType::f16) return f16_to_float(float_to_f16(value));
  return dtype == DType::bf16 ? bf16_to_float(float_to_bf16(value)) : value;
}

/// BF16 sums have an order of their own where the unit adds pairs.
bool adds_pairs(Types types, Isa isa) {
  return types.weights == DType::bf16 && (isa == Isa::amx || (types.narrow && isa == Isa::avx512bf16));
}

/// Weights in panels and rows of activations, with what they are in float.
struct Product {
  Types types;
  DType dtype;
  std::size_t rows, cols, tokens;
  std::vector<float> w, x;
  AlignedBytes panels;
  std::size_t panel_bytes;

  Product(Types of, std::size_t row_count, std::size_t col_count, std::size_t token_count,
          std::vector<float> weights, std::vector<float> inputs)
      : types(of),
        dtype(of.weights),
        rows(row_count),
        cols(col_count),
        tokens(token_count),
        w(std::move(weights)),
        x(std::move(inputs)),
        panels(panel_count() * bytes_of_panel()),
        panel_bytes(bytes_of_panel()) {
    for (float& value : w) value = rounded_to(dtype, value);
    if (types.narrow)
      for (float& value : x) value = rounded_to(DType::bf16, value);
    pack();
  }

  std::size_t panel_count() const { return (rows + kPanelRows - 1) / kPanelRows; }
  std::size_t bytes_of_panel() const { return panel_shape(dtype, cols).bytes; }
  void pack() {
    const std::size_t width = dtype_traits(dtype).block_bytes;
    std::vector<std::byte> stored(rows * cols * width);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const std::uint16_t narrow = dtype == DType::f16 ? float_to_f16(w[i]) : float_to_bf16(w[i]);
      if (dtype == DType::f32)
        std::memcpy(stored.data() + i * width, &w[i], width);
      else
        std::memcpy(stored.data() + i * width, &narrow, width);
    }
    for (std::size_t p = 0; p < panel_count(); ++p) {
      std::vector<const std::byte*> sources;
      for (std::size_t r = p * kPanelRows; r < std::min(rows, (p + 1) * kPanelRows); ++r)
        sources.push_back(stored.data() + r * cols * width);
      pack_panel(dtype, sources, cols, panels.data() + p * panel_bytes);
    }
  }

  /// Rows [first, first + count) of x by all weights; [count][rows]. What lies between the rows of y stays.
  std::vector<float> multiply(Isa isa, std::size_t first, std::size_t count) {
    const PackedKernels& kernels = packed_kernels(isa);
    const ActivationForm form = types.narrow ? ActivationForm::bf16 : kernels.form(dtype);
    AlignedBytes activations(activation_bytes(form, tokens, cols));
    const ActivationView view = activations_in(activations.data(), form, tokens, cols);
    for (std::size_t t = 0; t < tokens && cols != 0; ++t) kernels.quantize(x.data() + t * cols, view, t);
    AlignedBytes scratch(kernels.scratch_bytes(cols));
    const std::size_t stride = rows + 3;
    std::vector<float> y(count * stride + 16, kUntouched);
    PanelJob job;
    job.panels = panels.data();
    job.panel_bytes = panel_bytes;
    job.rows = rows;
    job.cols = cols;
    job.x = view.middle_rows(first, count);
    job.y = {y.data(), count, rows, stride};
    job.scratch = scratch.data();
    kernels.multiply[static_cast<std::size_t>(dtype)](job);
    std::vector<float> result;
    bool untouched = true;
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (i < count * stride && i % stride < rows)
        result.push_back(y[i]);
      else
        untouched = untouched && y[i] == kUntouched;
    }
    CHECK(untouched);
    return result;
  }
};

Product random_product(Types types, std::size_t rows, std::size_t cols, std::size_t tokens) {
  return {types,
          rows,
          cols,
          tokens,
          random_floats(rows * cols, static_cast<unsigned>(rows * 1000 + cols)),
          random_floats(tokens * cols, static_cast<unsigned>(cols + 7))};
}

/// How many elements differ in a bit; two NaN count as equal, since their payloads depend on the order of operands.
int differences(const std::vector<float>& found, const float* expected) {
  int count = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!(std::isnan(found[i]) && std::isnan(expected[i])))
      count += std::bit_cast<std::uint32_t>(found[i]) != std::bit_cast<std::uint32_t>(expected[i]) ? 1 : 0;
  return count;
}

/// The largest error of y in units of its bound: float32 sums (rounding.h) and, for each product and sum, what may be
/// lost where numbers become subnormal: the last place of a subnormal, or for a unit that has none the smallest normal
/// number, and there a subnormal factor too. Pairs of bf16 lose 2^-17 of x, and are two products and sums.
double largest_excess(const Product& product, const std::vector<float>& y, bool no_subnormals, bool pairs) {
  double largest = 0.0;
  for (std::size_t t = 0; t < product.tokens; ++t)
    for (std::size_t r = 0; r < product.rows; ++r) {
      double exact = 0.0, magnitudes = 0.0, factors = 0.0;
      for (std::size_t c = 0; c < product.cols; ++c) {
        const double w = static_cast<double>(product.w[r * product.cols + c]);
        const double x = static_cast<double>(product.x[t * product.cols + c]);
        exact += w * x;
        magnitudes += std::abs(w * x);
        factors += std::abs(w) + std::abs(x);
      }
      const double operations = (pairs ? 4.0 : 2.0) * static_cast<double>(product.cols) + 2.0;
      const double underflow = no_subnormals ? 0x1p-126 * (operations + factors) : 0x1p-149 * operations;
      const double lost = pairs ? 0x1p-17 + sum_error(2 * product.cols + 2) : sum_error(product.cols + 2);
      const double bound = lost * magnitudes + underflow;
      largest = std::max(largest, excess(static_cast<double>(y[t * product.rows + r]), exact, bound));
    }
  return largest;
}

/// All instruction sets against the plain one or, where pairs are added, against themselves for all rows at once.
void check_all(Product& product, const std::vector<std::size_t>& counts) {
  const std::vector<float> plain = product.multiply(Isa::scalar, 0, product.tokens);
  for (const Isa isa : available_isas()) {
    INFO(name_of(isa) << " " << dtype_name(product.dtype) << " rows " << product.rows << " cols "
                      << product.cols);
    const std::vector<float> all = product.multiply(isa, 0, product.tokens);
    const bool own_order = adds_pairs(product.types, isa);
    if (!own_order) CHECK(differences(all, plain.data()) == 0);
    CHECK(largest_excess(product, all, own_order, own_order && !product.types.narrow) <= 1.0);
    for (const std::size_t count : counts) {
      const std::size_t first = product.tokens - count;
      INFO("x rows " << count);
      CHECK(differences(product.multiply(isa, first, count), all.data() + first * product.rows) == 0);
    }
  }
}

std::vector<std::size_t> counts_to(std::size_t last) {
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i <= last; ++i) counts.push_back(i);
  return counts;
}

}  // namespace

TEST_CASE("panels of floats multiply alike on every instruction set and for any number of rows", "[packed]") {
  for (const Types types : kTypes)
    for (const std::size_t rows : std::initializer_list<std::size_t>{1, 15, 16, 17, 33, 64, 81})
      for (const std::size_t cols : std::initializer_list<std::size_t>{1, 2, 31, 32, 33, 576}) {
        Product product = random_product(types, rows, cols, 48);
        check_all(product, counts_to(13));
      }
}

TEST_CASE("panels of floats multiply alike across blocks of columns and groups of panels", "[packed]") {
  for (const Types types : kTypes)
    for (const std::size_t cols : std::initializer_list<std::size_t>{641, 1281, 2048}) {
      Product product = random_product(types, 209, cols, 26);
      check_all(product, {1, 5, 13, 25});
    }
}

TEST_CASE("panels of no columns give zeros", "[packed]") {
  for (const Types types : kTypes)
    for (const Isa isa : available_isas()) {
      Product product(types, 70, 0, 14, {}, {});
      const std::vector<float> y = product.multiply(isa, 0, 14);
      CHECK(y == std::vector<float>(70 * 14, 0.0F));
    }
}

TEST_CASE("panels of floats keep subnormal numbers", "[packed]") {
  for (const Types types : kTypes) {
    Product product = random_product(types, 40, 96, 17);
    // Products and sums of the first rows are subnormal, those of the others have subnormal factors.
    for (std::size_t i = 0; i < product.w.size(); ++i)
      product.w[i] = rounded_to(types.weights, product.w[i] * (types.weights == DType::f16 ? 3e-6F
                                                               : i < 20 * 96               ? 1e-20F
                                                                                           : 2e-39F));
    for (std::size_t i = 0; i < product.x.size(); ++i) product.x[i] *= i % 96 < 48 ? 1e-20F : 1e-33F;
    Product small(types, 40, 96, 17, product.w, product.x);
    check_all(small, {1, 6, 16});
  }
}

TEST_CASE("infinities and NaN pass through panels of floats", "[packed]") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr std::size_t kRows = 70, kCols = 64, kTokens = 15;
  for (const Types types : kTypes) {
    std::vector<float> w = random_floats(kRows * kCols, 3, 0.5, 1.0);
    std::vector<float> x = random_floats(kTokens * kCols, 4, 0.5, 1.0);
    w[5 * kCols + 7] = kInfinity;
    w[18 * kCols + 3] = std::numeric_limits<float>::quiet_NaN();
    w[69 * kCols] = -kInfinity;
    x[2 * kCols + 7] = -kInfinity;
    x[3 * kCols + 9] = std::numeric_limits<float>::quiet_NaN();
    x[4 * kCols + 11] = kInfinity;
    x[4 * kCols + 12] = -kInfinity;
    Product product(types, kRows, kCols, kTokens, w, x);
    for (const Isa isa : available_isas()) {
      INFO(name_of(isa) << " " << dtype_name(types.weights));
      // Of a pair, an infinity's second value is NaN, and an infinite weight may meet a second value of 0.
      const bool pairs = adds_pairs(types, isa) && !types.narrow;
      const std::vector<float> y = product.multiply(isa, 0, kTokens);
      for (std::size_t t = 0; t < kTokens; ++t)
        for (std::size_t r = 0; r < kRows; ++r) {
          float sum = 0.0F;
          for (std::size_t c = 0; c < kCols; ++c) sum += product.w[r * kCols + c] * product.x[t * kCols + c];
          const float found = y[t * kRows + r];
          if (pairs && !std::isfinite(sum))
            CHECK_FALSE(std::isfinite(found));
          else if (std::isnan(sum))
            CHECK(std::isnan(found));
          else if (std::isinf(sum))
            CHECK(found == sum);
          else
            CHECK(std::isfinite(found));
        }
    }
  }
}
