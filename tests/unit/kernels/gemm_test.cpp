// Matrix products, by mla's own kernels and by OpenBLAS, against double arithmetic.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "rounding.h"

using namespace mla;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kGuard = 12345.5F;

/// A matrix inside a larger buffer: `gap` values between its rows, and some in front and behind.
class Framed {
 public:
  static constexpr std::size_t kFrame = 3;

  Framed(std::size_t rows, std::size_t cols, std::size_t gap, float around)
      : values_(2 * kFrame + rows * (cols + gap), around), rows_(rows), cols_(cols), stride_(cols + gap) {}

  static Framed random(std::size_t rows, std::size_t cols, std::size_t gap, float around, unsigned seed) {
    Framed result(rows, cols, gap, around);
    const std::vector<float> values = random_floats(rows * cols, seed);
    for (std::size_t i = 0; i < values.size(); ++i) result.view().row(i / cols)[i % cols] = values[i];
    return result;
  }

  Matrix view() { return {values_.data() + kFrame, rows_, cols_, stride_}; }
  ConstMatrix view() const { return {values_.data() + kFrame, rows_, cols_, stride_}; }

  /// Whether everything but the matrix itself still is `around`.
  bool frame_is(float around) const {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const bool inside = i >= kFrame && i < kFrame + rows_ * stride_ && (i - kFrame) % stride_ < cols_;
      if (!inside && values_[i] != around) return false;
    }
    return true;
  }

 private:
  std::vector<float> values_;
  std::size_t rows_;
  std::size_t cols_;
  std::size_t stride_;
};

using Product = void (*)(ConstMatrix a, ConstMatrix b, bool transposed, Matrix c, const Kernels& kernels,
                         bool accumulate);

void by_blas(ConstMatrix a, ConstMatrix b, bool transposed, Matrix c, const Kernels& kernels,
             bool accumulate) {
  transposed ? multiply_transposed(a, b, c, kernels, accumulate) : multiply(a, b, c, kernels, accumulate);
}

/// Multiplies random matrices of m, n and k with every kernel, transposed or not, accumulating or not.
/// Each element of c is a sum of k products (and of what was there): gamma_(k + 1) bounds its error in every
/// order of additions.
void check_product(Product product, std::size_t m, std::size_t n, std::size_t k, std::size_t gap) {
  for (const bool transposed : {false, true}) {
    // NaN around a and b: who reads beyond them writes NaN.
    const Framed a = Framed::random(m, k, gap, kNan, 1);
    const Framed b = transposed ? Framed::random(n, k, gap, kNan, 2) : Framed::random(k, n, gap, kNan, 2);
    for (const bool accumulate : {false, true})
      for (const Kernels* kernels : available_kernels()) {
        const Framed before = Framed::random(m, n, gap, kGuard, 3);
        Framed c = before;
        if (!accumulate)
          for (std::size_t row = 0; row < m; ++row) std::fill_n(c.view().row(row), n, kNan);
        product(a.view(), b.view(), transposed, c.view(), *kernels, accumulate);
        double worst = 0.0;
        for (std::size_t i = 0; i < m; ++i)
          for (std::size_t j = 0; j < n; ++j) {
            double sum = accumulate ? static_cast<double>(before.view().row(i)[j]) : 0.0;
            double magnitude = std::abs(sum);
            for (std::size_t step = 0; step < k; ++step) {
              const float right = transposed ? b.view().row(j)[step] : b.view().row(step)[j];
              const double term = static_cast<double>(a.view().row(i)[step]) * static_cast<double>(right);
              sum += term;
              magnitude += std::abs(term);
            }
            const double found = static_cast<double>(c.view().row(i)[j]);
            worst = std::max(worst, excess(found, sum, sum_error(k + 1) * magnitude));
          }
        INFO(kernels->name << ", m = " << m << ", n = " << n << ", k = " << k << ", gap = " << gap
                           << (transposed ? ", transposed" : "") << (accumulate ? ", accumulate" : ""));
        CHECK(worst <= 1.0);
        CHECK(c.frame_is(kGuard));
      }
  }
}

/// Every m, n and k of the range at least once, and those around the sizes of panels in many combinations.
void check_products(Product product) {
  const std::vector<std::size_t> widths = {1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 70};
  const std::vector<std::size_t> depths = {1, 3, 8, 63, 64, 65, 127, 128, 129, 130};
  std::size_t turn = 0;
  for (std::size_t m = 1; m <= 25; ++m)
    for (int i = 0; i < 5; ++i, ++turn)
      check_product(product, m, widths[turn % widths.size()], depths[turn * 3 % depths.size()], turn % 4);
  for (std::size_t n = 1; n <= 70; ++n) check_product(product, 1 + n % 7, n, 5, n % 3);
  for (std::size_t k = 1; k <= 130; ++k) check_product(product, 1 + k % 5, 9, k, k % 3);
}

}  // namespace

TEST_CASE("multiply_by_panels keeps to the error bound and inside c") {
  check_products(multiply_by_panels);
}

TEST_CASE("multiply and multiply_transposed keep to the error bound and inside c") {
  check_products(by_blas);
}

TEST_CASE("A product over no columns is zero, or what was there") {
  check_product(multiply_by_panels, 3, 5, 0, 2);
  check_product(by_blas, 3, 5, 0, 2);
}

TEST_CASE("A product without rows or columns writes nothing") {
  for (const Product product : {Product{multiply_by_panels}, Product{by_blas}})
    for (const Kernels* kernels : available_kernels()) {
      const Framed a = Framed::random(4, 6, 1, kNan, 1);
      const Framed b = Framed::random(6, 5, 1, kNan, 2);
      Framed c(4, 5, 1, kGuard);
      product(a.view().middle_rows(0, 0), b.view(), false, c.view().middle_rows(0, 0), *kernels, false);
      product(a.view(), b.view().columns(0, 0), false, c.view().columns(0, 0), *kernels, false);
      bool untouched = c.frame_is(kGuard);
      for (std::size_t i = 0; i < 20; ++i) untouched = untouched && c.view().row(i / 5)[i % 5] == kGuard;
      INFO(kernels->name);
      CHECK(untouched);
    }
}

TEST_CASE("multiply_by_panels gives a row the same bits whatever rows stand beside it") {
  for (const Kernels* kernels : available_kernels())
    for (const bool transposed : {false, true})
      for (const std::size_t n : {std::size_t{5}, std::size_t{32}, std::size_t{45}}) {
        const std::size_t k = 130;
        const Framed a = Framed::random(25, k, 2, kNan, 1);
        const Framed b = transposed ? Framed::random(n, k, 1, kNan, 2) : Framed::random(k, n, 1, kNan, 2);
        Framed whole(25, n, 1, kGuard);
        multiply_by_panels(a.view(), b.view(), transposed, whole.view(), *kernels, false);
        bool same = true;
        for (std::size_t first = 0; first < 25; first += 3)
          for (std::size_t rows = 1; first + rows <= 25; ++rows) {
            Framed part(rows, n, 0, kGuard);
            multiply_by_panels(a.view().middle_rows(first, rows), b.view(), transposed, part.view(), *kernels,
                               false);
            for (std::size_t i = 0; i < rows; ++i)
              same =
                  same && std::equal(part.view().row(i), part.view().row(i) + n, whole.view().row(first + i));
          }
        INFO(kernels->name << ", n = " << n << (transposed ? ", transposed" : ""));
        CHECK(same);
      }
}

TEST_CASE("multiply_by_panels gives a column the same bits whatever columns stand beside it") {
  for (const Kernels* kernels : available_kernels()) {
    const Framed a = Framed::random(7, 90, 0, kNan, 1);
    const Framed b = Framed::random(90, 70, 0, kNan, 2);
    Framed whole(7, 70, 0, kGuard);
    multiply_by_panels(a.view(), b.view(), false, whole.view(), *kernels, false);
    bool same = true;
    for (std::size_t cols = 1; cols <= 70; ++cols) {
      Framed part(7, cols, 0, kGuard);
      multiply_by_panels(a.view(), b.view().columns(70 - cols, cols), false, part.view(), *kernels, false);
      for (std::size_t i = 0; i < 7; ++i)
        same = same &&
               std::equal(part.view().row(i), part.view().row(i) + cols, whole.view().row(i) + 70 - cols);
    }
    INFO(kernels->name);
    CHECK(same);
  }
}

TEST_CASE("NaN in one row of a product stays in that row") {
  for (const Kernels* kernels : available_kernels())
    for (std::size_t bad = 0; bad < 15; ++bad) {
      Framed a = Framed::random(15, 20, 0, kGuard, 1);
      const Framed b = Framed::random(20, 37, 0, kGuard, 2);
      a.view().row(bad)[bad] = kNan;
      Framed c(15, 37, 0, kGuard);
      multiply_by_panels(a.view(), b.view(), false, c.view(), *kernels, false);
      bool right = true;
      for (std::size_t i = 0; i < 15; ++i)
        for (std::size_t j = 0; j < 37; ++j) right = right && std::isnan(c.view().row(i)[j]) == (i == bad);
      INFO(kernels->name << ", row " << bad);
      CHECK(right);
    }
}
