// Products with weights of every type against sums in double.
#include "nn/linear.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/kernels.h"
#include "tensor/decode.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::kAllTypes;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::Rows;
using nn_test::Weight;

namespace {

/// How far a sum of n products may be off in float32, whatever the order of additions, given the sum of the
/// magnitudes; two more roundings for scale and bias.
double bound(std::size_t n, double magnitude) {
  return static_cast<double>(n + 3) * 0x1.0p-24 * magnitude + 1e-30;
}

/// The largest error as a share of what rounding allows.
double worst_error(const Weight& weight, const std::vector<float>& bias, const Rows& x, const Rows& y) {
  double worst = 0.0;
  for (std::size_t row = 0; row < x.rows(); ++row)
    for (std::size_t out = 0; out < weight.rows(); ++out) {
      double sum = bias.empty() ? 0.0 : static_cast<double>(bias[out]);
      double magnitude = std::abs(sum);
      for (std::size_t col = 0; col < x.cols(); ++col) {
        const double product = weight.exact[out * x.cols() + col] * static_cast<double>(x.at(row, col));
        sum += product;
        magnitude += std::abs(product);
      }
      const double error =
          std::abs(static_cast<double>(y.at(row, out)) - sum) / bound(x.cols() + 1, magnitude);
      worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
    }
  return worst;
}

void check_forward(Random& random, DType dtype, std::size_t out, std::size_t in, std::size_t misalignment,
                   Workspace& workspace) {
  const Weight weight = random_weight(random, dtype, out, in, 1.0F, misalignment);
  for (std::size_t rows = 1; rows <= 9; ++rows) {
    CAPTURE(dtype_name(dtype), out, in, misalignment, rows);
    const Rows x(random, rows, in, 3);
    const std::vector<float> bias = rows % 2 == 0 ? random.values(out) : std::vector<float>{};
    Rows y(rows, out, 5);
    Linear(weight.view, bias).forward(x.matrix(), y.matrix(), workspace);
    CHECK(worst_error(weight, bias, x, y) <= 1.0);
    CHECK(y.margin_untouched());
  }
}

/// dot_row, add_row and decode_rows of slices of a weight.
void check_single_rows(Random& random, DType dtype, std::size_t cols, const Kernels& kernels) {
  const Weight weight = random_weight(random, dtype, 70, cols, 1.0F, 1);
  const std::vector<float> decoded = decode(weight.view);
  const std::vector<float> x = random.values(cols);
  for (const std::size_t cut : {0U, 5U, 16U, 37U}) {  // FP8 blocks have 16 rows.
    const WeightView slice = weight.view.slice_rows(cut, 33);
    CAPTURE(kernels.name, dtype_name(dtype), cut);
    double worst_dot = 0.0;
    double worst_sum = 0.0;
    for (std::size_t row = 0; row < 33; ++row) {
      const double* exact = weight.exact.data() + (cut + row) * cols;
      double sum = 0.0;
      double magnitude = 0.0;
      for (std::size_t i = 0; i < cols; ++i) {
        sum += exact[i] * static_cast<double>(x[i]);
        magnitude += std::abs(exact[i] * static_cast<double>(x[i]));
      }
      const double found = static_cast<double>(dot_row(slice, row, x.data(), kernels));
      worst_dot = std::max(worst_dot, std::abs(found - sum) / bound(cols, magnitude));

      std::vector<float> y = x;
      add_row(-1.25F, slice, row, y.data(), kernels);
      for (std::size_t i = 0; i < cols; ++i) {
        const double expected = static_cast<double>(x[i]) - 1.25 * exact[i];
        worst_sum = std::max(worst_sum, std::abs(static_cast<double>(y[i]) - expected));
      }
    }
    CHECK(worst_dot <= 1.0);
    CHECK(worst_sum <= 1e-6);

    const auto count = static_cast<std::ptrdiff_t>(30 * cols);
    std::vector<float> rows(31 * cols, -1.0F);
    decode_rows(slice, 2, 30, rows.data(), kernels);
    CHECK(std::equal(rows.begin(), rows.begin() + count,
                     decoded.begin() + static_cast<std::ptrdiff_t>((cut + 2) * cols)));
    CHECK(std::all_of(rows.begin() + count, rows.end(), [](float value) { return value == -1.0F; }));
  }
}

}  // namespace

TEST_CASE("linear: every type, shape and number of rows against double") {
  Random random(3);
  Workspace workspace(1, best_kernels());
  for (const DType dtype : kAllTypes)
    for (const std::size_t out : {1U, 31U, 32U, 33U, 255U, 257U, 300U})
      for (const std::size_t misalignment : {0U, 1U})
        check_forward(random, dtype, out, 45, misalignment, workspace);
}

TEST_CASE("linear: widths around those of vectors and blocks") {
  Random random(4);
  Workspace workspace(1, best_kernels());
  for (const DType dtype : kAllTypes)
    for (const std::size_t in : {1U, 7U, 16U, 19U, 20U, 21U, 64U, 127U})
      check_forward(random, dtype, 35, in, 0, workspace);
}

TEST_CASE("linear: tiles of the greatest size") {
  Random random(5);
  Workspace workspace(1, best_kernels());
  for (const DType dtype : kAllTypes) check_forward(random, dtype, 2100, 3, 1, workspace);
}

TEST_CASE("linear: the tiles cover each output once") {
  Random random(6);
  Workspace workspace(3, best_kernels());
  std::vector<Linear> linears;
  std::vector<Weight> weights;
  for (const std::size_t out : {1U, 31U, 32U, 33U, 255U, 256U, 257U, 300U, 2048U, 2049U, 5000U})
    weights.push_back(random_weight(random, DType::bf16, out, 1));
  PageMemory memory;
  for (const Weight& weight : weights) {
    linears.emplace_back(weight.view);
    if (linears.size() % 2 == 0) linears.back().reserve_panels(DType::bf16, memory);
  }
  for (const std::size_t rows : {1U, 15U, 16U, 500U}) {
    const auto parts = list_tiles(
        linears.size(), [&](std::size_t job) -> const Linear& { return linears[job]; },
        [&](std::size_t) { return rows; }, workspace);
    std::size_t job = 0;
    std::size_t next = 0;
    for (const LinearPart& part : parts) {
      if (next == linears[job].out_features()) {
        ++job;
        next = 0;
      }
      CHECK(part.job == job);
      CHECK(part.first == next);
      CHECK(part.first % kPanelRows == 0);
      CHECK(part.count > 0);
      // What many rows share is larger; weights that are not packed are cut as for few.
      if (rows < 16 || !linears[job].is_packed()) CHECK(part.count <= 256);
      next += part.count;
    }
    CHECK(job + 1 == linears.size());
    CHECK(next == linears[job].out_features());
  }
}

TEST_CASE("linear: all kernels this processor has") {
  Random random(7);
  for (const Kernels* kernels : available_kernels()) {
    Workspace workspace(1, *kernels);
    CAPTURE(kernels->name);
    for (const DType dtype : kAllTypes) check_forward(random, dtype, 67, 71, 1, workspace);
    for (const DType dtype : nn_test::quantized_types()) check_forward(random, dtype, 67, 512, 1, workspace);
  }
}

TEST_CASE("linear: any number of threads gives the same bits", "[threads]") {
  Random random(8);
  for (const DType dtype : kAllTypes)
    for (const std::size_t out : {300U, 521U}) {
      const Weight weight = random_weight(random, dtype, out, 129);
      const Linear linear(weight.view, random.values(out));
      for (const std::size_t rows : {1U, 3U, 4U, 9U}) {
        const Rows x(random, rows, 129);
        Rows alone(rows, out);
        Workspace one(1, best_kernels());
        linear.forward(x.matrix(), alone.matrix(), one);
        for (const int threads : {2, 3, 8}) {
          CAPTURE(dtype_name(dtype), out, rows, threads);
          Workspace workspace(threads, best_kernels());
          Rows y(rows, out);
          linear.forward(x.matrix(), y.matrix(), workspace);
          CHECK(y.packed() == alone.packed());
        }
      }
    }
}

TEST_CASE("linear: single rows of a weight, whole or cut out of it") {
  Random random(9);
  for (const Kernels* kernels : available_kernels()) {
    for (const DType dtype : kAllTypes) check_single_rows(random, dtype, 47, *kernels);
    for (const DType dtype : nn_test::quantized_types()) check_single_rows(random, dtype, 512, *kernels);
  }
}

TEST_CASE("linear: items run once each, few or many", "[threads]") {
  Workspace workspace(3, best_kernels());
  for (const std::size_t multiplications : {std::size_t{1}, std::size_t{1} << 30U}) {
    std::vector<int> runs(100, 0);
    for_items(workspace, runs.size(), multiplications, [&](std::size_t item, int worker) {
      if (worker >= 0 && worker < 3) ++runs[item];
    });
    CHECK(std::all_of(runs.begin(), runs.end(), [](int count) { return count == 1; }));
  }
}

namespace {

/// The columns [first, first + count) of an input-major weight [in, all] as the rows of the other layout.
std::vector<double> turned(const Weight& weight, std::size_t in, std::size_t all, std::size_t first,
                           std::size_t count) {
  std::vector<double> result;
  for (std::size_t out = first; out < first + count; ++out)
    for (std::size_t i = 0; i < in; ++i) result.push_back(weight.exact[i * all + out]);
  return result;
}

}  // namespace

TEST_CASE("linear: input-major columns of every plain type, on all kernels") {
  Random random(10);
  constexpr std::size_t kIn = 45;
  constexpr std::size_t kAll = 700;
  for (const Kernels* kernels : available_kernels())
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
      for (const std::size_t misalignment : {0U, 1U})
        for (const auto& [first, count] :
             {std::pair<std::size_t, std::size_t>{0, kAll}, {0, 31}, {233, 234}, {699, 1}}) {
          const Weight weight = random_weight(random, dtype, kIn, kAll, 1.0F, misalignment);
          Weight plain = random_weight(random, DType::f32, count, kIn);
          plain.exact = turned(weight, kIn, kAll, first, count);
          Workspace workspace(1, *kernels);
          for (const std::size_t rows : {1U, 3U, 4U, 9U}) {
            CAPTURE(kernels->name, dtype_name(dtype), misalignment, first, count, rows);
            const std::vector<float> bias = rows == 3 ? std::vector<float>{} : random.values(count);
            const Linear linear = Linear::input_major(weight.view, first, count, bias);
            CHECK(linear.in_features() == kIn);
            CHECK(linear.out_features() == count);
            const Rows x(random, rows, kIn, 3);
            Rows y(rows, count, 5);
            linear.forward(x.matrix(), y.matrix(), workspace);
            CHECK(worst_error(plain, bias, x, y) <= 1.0);
            CHECK(y.margin_untouched());
          }
        }
}

TEST_CASE("linear: several products of one x are the products one by one", "[threads]") {
  Random random(11);
  const Weight a = random_weight(random, DType::bf16, 300, 70);
  const Weight b = random_weight(random, DType::f32, 33, 70);
  const Weight c = random_weight(random, DType::f32, 70, 150);
  const Linear linears[] = {Linear(a.view, random.values(300)), Linear(b.view),
                            Linear::input_major(c.view, 20, 130)};
  for (const int threads : {1, 3})
    for (const std::size_t rows : {1U, 6U}) {
      Workspace workspace(threads, best_kernels());
      const Rows x(random, rows, 70);
      std::vector<Rows> together, alone;
      for (const Linear& linear : linears) {
        together.emplace_back(rows, linear.out_features(), 1);
        alone.emplace_back(rows, linear.out_features());
        linear.forward(x.matrix(), alone.back().matrix(), workspace);
      }
      const LinearJob jobs[] = {{&linears[0], together[0].matrix()},
                                {&linears[1], together[1].matrix()},
                                {&linears[2], together[2].matrix()}};
      run_linears(x.matrix(), jobs, workspace);
      for (std::size_t i = 0; i < 3; ++i) {
        CHECK(together[i].packed() == alone[i].packed());
        CHECK(together[i].margin_untouched());
      }
    }
}
