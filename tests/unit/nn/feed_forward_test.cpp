// Normalization, MLPs and mixtures of experts against plain computations in double.
#include "nn/feed_forward.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "nn/moe.h"
#include "nn/norm.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::largest_difference;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::Rows;
using nn_test::Weight;

namespace {

constexpr double kTolerance = 1e-5;  // Results are of the order of one.

/// A SwiGLU block and its weights.
struct Block {
  Weight gate, up, down;
  std::vector<float> gate_bias, up_bias, down_bias;

  Block(Random& random, DType dtype, std::size_t hidden, std::size_t width, bool bias = false)
      : gate(random_weight(random, dtype, width, hidden, 0.3F)),
        up(random_weight(random, dtype, width, hidden, 0.3F)),
        down(random_weight(random, dtype, hidden, width, 0.3F)) {
    if (!bias) return;
    gate_bias = random.values(width);
    up_bias = random.values(width);
    down_bias = random.values(hidden);
  }

  SwiGlu part() const {
    return {Linear(gate.view, gate_bias), Linear(up.view, up_bias), Linear(down.view, down_bias)};
  }

  std::vector<double> compute(const std::vector<double>& x) const {
    std::vector<double> inner = affine(gate, x, gate_bias);
    const std::vector<double> factors = affine(up, x, up_bias);
    for (std::size_t i = 0; i < inner.size(); ++i) inner[i] = nn_test::silu(inner[i]) * factors[i];
    return affine(down, inner, down_bias);
  }
};

/// A mixture of experts and its weights. Its last expert is never chosen and holds nothing but NaN; with zero experts it
/// is one of these.
struct Mixture {
  static constexpr std::size_t kHidden = 45;
  static constexpr std::size_t kExperts = 7;

  RouterShape shape;
  Weight gate;
  std::vector<float> correction;
  std::vector<Block> experts;
  std::optional<Block> shared;
  std::size_t zero_experts = 0;

  Mixture(Random& random, RouterKind kind, DType dtype, bool with_shared) {
    shape = {kind, kExperts, 3, 1, 1, kind == RouterKind::sigmoid_noaux_tc, 1.5F};
    gate = random_weight(random, DType::f32, kExperts, kHidden, 0.5F);
    if (has_correction_bias(kind)) {
      correction = random.values(kExperts, 0.1F);
      correction.back() = -10.0F;
    } else {
      // Inputs have a one in front; that makes the last expert's probability nothing.
      std::vector<float> values;
      for (const double value : gate.exact) values.push_back(static_cast<float>(value));
      values[(kExperts - 1) * kHidden] = -200.0F;
      gate = nn_test::make_weight(random, DType::f32, kExperts, kHidden, values);
    }
    for (std::size_t i = 0; i < kExperts; ++i) experts.emplace_back(random, dtype, kHidden, 33);
    const std::vector<float> nothing(33 * kHidden, std::numeric_limits<float>::quiet_NaN());
    for (Weight* weight : {&experts.back().gate, &experts.back().up})
      *weight = nn_test::make_weight(random, DType::f32, 33, kHidden, nothing);
    if (with_shared) shared.emplace(random, dtype, kHidden, 70);
  }

  Moe part() const {
    std::vector<SwiGlu> parts;
    for (std::size_t i = 0; i + zero_experts < kExperts; ++i) parts.push_back(experts[i].part());
    std::optional<SwiGlu> shared_part;
    if (shared) shared_part = shared->part();
    return Moe(Linear(gate.view), Router(shape, correction), std::move(parts), std::move(shared_part));
  }

  /// One token by itself.
  std::vector<double> compute(const std::vector<double>& x) const {
    const bool sigmoid = shape.kind == RouterKind::sigmoid_noaux_tc;
    std::vector<double> scores = affine(gate, x);
    double sum = 0.0;
    for (double& score : scores) sum += score = std::exp(score);
    for (double& score : scores) score = sigmoid ? score / (1.0 + score) : score / sum;
    std::vector<double> ranking = scores;
    for (std::size_t i = 0; i < correction.size(); ++i) ranking[i] += static_cast<double>(correction[i]);
    std::vector<std::size_t> order(kExperts);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return ranking[a] > ranking[b]; });
    REQUIRE(ranking[order[2]] - ranking[order[3]] > 1e-5);  // Else rounding would decide.
    order.resize(3);

    std::vector<double> y = shared ? shared->compute(x) : std::vector<double>(kHidden, 0.0);
    double chosen = 0.0;
    for (const std::size_t expert : order) chosen += scores[expert];
    for (const std::size_t expert : order) {
      const double weight = 1.5 * scores[expert] / (sigmoid ? chosen : 1.0);
      const bool zero = expert + zero_experts >= kExperts;
      const std::vector<double> part = zero ? x : experts[expert].compute(x);
      for (std::size_t i = 0; i < kHidden; ++i) y[i] += weight * part[i];
    }
    return y;
  }
};

template <typename Reference>
std::vector<double> row_by_row(const Rows& x, const Reference& reference) {
  std::vector<double> all;
  for (std::size_t row = 0; row < x.rows(); ++row) {
    const std::vector<double> y = reference.compute(x.row(row));
    all.insert(all.end(), y.begin(), y.end());
  }
  return all;
}

Rows tokens(Random& random, std::size_t count) {
  Rows x(random, count, Mixture::kHidden, 2);
  for (std::size_t row = 0; row < count; ++row) x.at(row, 0) = 1.0F;
  return x;
}

}  // namespace

TEST_CASE("norm: rows against double, in place and strided") {
  Random random(10);
  for (const Kernels* kernels : available_kernels())
    for (const std::size_t size : {1U, 15U, 16U, 17U, 100U, 512U})
      for (const float epsilon : {0.0F, 1e-6F, 0.5F}) {
        Workspace workspace(1, *kernels);
        const std::vector<float> weight = random.values(size);
        const Norm norm(weight, epsilon);
        const Rows x(random, 5, size, 3);
        std::vector<double> expected;
        for (std::size_t row = 0; row < x.rows(); ++row) {
          const std::vector<double> y = nn_test::rms_norm(x.row(row), weight, static_cast<double>(epsilon));
          expected.insert(expected.end(), y.begin(), y.end());
        }
        CAPTURE(kernels->name, size, epsilon);
        Rows y(5, size, 1);
        norm.forward(x.matrix(), y.matrix(), workspace);
        CHECK(largest_difference(y.packed(), expected) < kTolerance);
        CHECK(y.margin_untouched());
        Rows in_place = x;
        norm.forward(in_place.matrix(), in_place.matrix(), workspace);
        CHECK(in_place.packed() == y.packed());
      }
}

TEST_CASE("norm: epsilon keeps a row of zeros at zero") {
  Workspace workspace(1, best_kernels());
  const Norm norm(std::vector<float>(9, 2.0F), 1e-6F);
  std::vector<float> row(9, 0.0F);
  norm.forward(Matrix{row.data(), 1, 9, 9}, Matrix{row.data(), 1, 9, 9}, workspace);
  CHECK(row == std::vector<float>(9, 0.0F));
}

TEST_CASE("mlp: against double, with and without bias") {
  Random random(11);
  Workspace workspace(1, best_kernels());
  for (const DType dtype : nn_test::kAllTypes)
    for (const std::size_t width : {1U, 33U, 70U})
      for (const bool bias : {false, true}) {
        const Block block(random, dtype, 45, width, bias);
        const Mlp mlp(block.part());
        for (const std::size_t rows : {1U, 3U, 4U, 9U}) {
          CAPTURE(dtype_name(dtype), width, bias, rows);
          const Rows x(random, rows, 45, 2);
          Rows y(rows, 45, 2);
          mlp.forward(x.matrix(), workspace, y.matrix());
          CHECK(largest_difference(y.packed(), row_by_row(x, block)) < kTolerance);
          CHECK(y.margin_untouched());
        }
      }
}

TEST_CASE("moe: each token against its own computation") {
  Random random(12);
  Workspace workspace(1, best_kernels());
  for (const RouterKind kind : {RouterKind::softmax_greedy, RouterKind::sigmoid_noaux_tc})
    for (const DType dtype : {DType::f32, DType::bf16, DType::f8_e4m3})
      for (const bool with_shared : {false, true}) {
        const Mixture mixture(random, kind, dtype, with_shared);
        const Moe moe = mixture.part();
        for (const std::size_t rows : {1U, 2U, 5U, 40U}) {
          CAPTURE(kind, dtype_name(dtype), with_shared, rows);
          const Rows x = tokens(random, rows);
          Rows y(rows, Mixture::kHidden, 4);
          moe.forward(x.matrix(), workspace, y.matrix());
          CHECK(largest_difference(y.packed(), row_by_row(x, mixture)) < kTolerance);
          CHECK(y.margin_untouched());
        }
      }
}

TEST_CASE("moe: zero experts pass on what they see") {
  Random random(16);
  Workspace workspace(1, best_kernels());
  for (const bool with_shared : {false, true})
    for (const std::size_t zero_experts : {2U, 5U, 7U}) {
      Mixture mixture(random, RouterKind::softmax_corrected, DType::f32, with_shared);
      mixture.zero_experts = zero_experts;
      const Moe moe = mixture.part();
      for (const std::size_t rows : {1U, 2U, 40U}) {
        CAPTURE(with_shared, zero_experts, rows);
        const Rows x = tokens(random, rows);
        Rows y(rows, Mixture::kHidden, 4);
        moe.forward(x.matrix(), workspace, y.matrix());
        CHECK(largest_difference(y.packed(), row_by_row(x, mixture)) < kTolerance);
        CHECK(y.margin_untouched());
      }
    }
}

TEST_CASE("moe: the result does not depend on what the memory held before") {
  Random random(13);
  Workspace workspace(1, best_kernels());
  const Mixture mixture(random, RouterKind::softmax_greedy, DType::f32, false);
  const Moe moe = mixture.part();
  const Rows x = tokens(random, 6);
  Rows fresh(6, Mixture::kHidden);
  moe.forward(x.matrix(), workspace, fresh.matrix());
  {
    const Arena::Scope scope(workspace.arena);
    const Matrix all = workspace.arena.matrix(1, 100000);
    std::fill_n(all.data, all.cols, std::numeric_limits<float>::quiet_NaN());
  }
  Rows again(6, Mixture::kHidden);
  std::fill_n(again.matrix().data, 6 * Mixture::kHidden, std::numeric_limits<float>::quiet_NaN());
  moe.forward(x.matrix(), workspace, again.matrix());
  CHECK(again.packed() == fresh.packed());
}

TEST_CASE("moe: any number of threads gives the same bits", "[threads]") {
  Random random(14);
  const Mixture mixture(random, RouterKind::sigmoid_noaux_tc, DType::bf16, true);
  const Moe moe = mixture.part();
  for (const std::size_t rows : {8U, 30U}) {
    const Rows x = tokens(random, rows);
    Workspace one(1, best_kernels());
    Rows alone(rows, Mixture::kHidden);
    moe.forward(x.matrix(), one, alone.matrix());
    for (const int threads : {2, 3, 8}) {
      CAPTURE(rows, threads);
      Workspace workspace(threads, best_kernels());
      Rows y(rows, Mixture::kHidden);
      moe.forward(x.matrix(), workspace, y.matrix());
      CHECK(y.packed() == alone.packed());
    }
  }
}

TEST_CASE("router: logits that are no numbers give some experts, each once") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  Random random(15);
  for (const RouterKind kind :
       {RouterKind::softmax_greedy, RouterKind::softmax_group_limited, RouterKind::softmax_group_pairs,
        RouterKind::softmax_corrected, RouterKind::sigmoid_noaux_tc}) {
    const std::size_t experts = 64;
    const RouterShape shape{kind, experts, 6, 8, 3, true, 1.0F};
    const Router router(shape,
                        has_correction_bias(kind) ? std::vector<float>(experts, 0.5F) : std::vector<float>{});
    Arena arena;
    for (int round = 0; round < 200; ++round) {
      std::vector<float> logits = random.values(experts, 10.0F);
      for (float& logit : logits) {
        const float dice = random.value();
        if (dice < -0.4F || round == 0) logit = nan;
        if (dice > 0.9F) logit = dice > 0.95F ? infinity : -infinity;
      }
      std::vector<ExpertChoice> chosen(6, {experts, 0.0F});
      router.choose(logits, arena, chosen);
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        REQUIRE(chosen[i].expert < experts);
        if (i > 0) REQUIRE(chosen[i - 1].expert < chosen[i].expert);
      }
    }
  }
}
