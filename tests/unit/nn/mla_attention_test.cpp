// Multi-head latent attention against its published formula (DeepSeek-V2, section 2.1) in double.
#include "nn/mla_attention.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "positional/rope.h"
#include "unit/nn/attention_run.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::largest_difference;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::Rows;
using nn_test::Weight;

namespace {

constexpr double kTolerance = 2e-5;  // Results are of the order of one.
constexpr std::size_t kHidden = 24;
constexpr std::size_t kQueryRank = 14;
constexpr std::size_t kMostTokens = 237;
// A head has 17 rows of kv_b_proj, FP8 blocks have 16.
constexpr MlaShape kShape{.num_heads = 3,
                          .kv_lora_rank = 21,
                          .qk_nope_head_dim = 10,
                          .qk_rope_head_dim = 6,
                          .v_head_dim = 7,
                          .softmax_scale = 0.4F};

/// W_UK transposed and W_UV of three heads, and what kv_b_proj would be.
struct SplitUp {
  Weight k_b, v_b, joined;

  SplitUp(Random& random, DType dtype)
      : k_b(random_weight(random, dtype, 3 * 21, 10, 0.5F)),
        v_b(random_weight(random, dtype, 3 * 7, 21, 0.5F)) {
    joined.view.data = {DType::f32, Shape{3 * 17, 21}, nullptr};  // Only its exact values count.
    for (std::size_t head = 0; head < 3; ++head) {
      for (std::size_t row = 0; row < 10; ++row)
        for (std::size_t col = 0; col < 21; ++col)
          joined.exact.push_back(k_b.exact[(head * 21 + col) * 10 + row]);
      const auto values = v_b.exact.begin() + static_cast<std::ptrdiff_t>(head * 7 * 21);
      joined.exact.insert(joined.exact.end(), values, values + 7 * 21);
    }
  }
};

/// An attention block and its weights.
struct Block {
  bool compressed;
  Weight q_a, q, kv_a, kv_b, o;
  std::optional<SplitUp> split;
  std::vector<float> q_norm, kv_norm, kv_a_bias;

  Block(Random& random, DType dtype, bool with_compression)
      : compressed(with_compression),
        q_a(random_weight(random, dtype, kQueryRank, kHidden, 0.4F)),
        q(random_weight(random, dtype, 3 * 16, compressed ? kQueryRank : kHidden, 0.7F)),
        kv_a(random_weight(random, dtype, 21 + 6, kHidden, 0.5F)),
        kv_b(random_weight(random, dtype, 3 * 17, 21, 0.5F)),
        o(random_weight(random, dtype, kHidden, 3 * 7, 0.5F)),
        q_norm(random.values(kQueryRank)),
        kv_norm(random.values(21)),
        kv_a_bias(random.values(27)) {}

  MlaAttention part() const {
    MlaWeights weights;
    if (compressed) weights.compression = QueryCompression{Linear(q_a.view), Norm(q_norm, 1e-6F)};
    weights.q_proj = Linear(q.view);
    weights.kv_a_proj_with_mqa = Linear(kv_a.view, kv_a_bias);
    weights.kv_a_layernorm = Norm(kv_norm, 1e-6F);
    if (split)
      weights.split_kv_b = SplitKvUp{split->k_b.view, split->v_b.view};
    else
      weights.kv_b_proj = Linear(kv_b.view);
    weights.o_proj = Linear(o.view);
    return MlaAttention(kShape, std::move(weights));
  }

  /// The same with other matrices for keys and values, apart from each other.
  Block& split_up(Random& random, DType dtype) {
    split.emplace(random, dtype);
    kv_b = std::move(split->joined);
    return *this;
  }

  std::vector<double> compute(const Rows& x, const RopeScaling& scaling = {}) const;
};

void rotate(double* pairs, std::size_t position) {
  for (std::size_t i = 0; i < kShape.qk_rope_head_dim; i += 2) {
    const double frequency =
        std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(kShape.qk_rope_head_dim));
    const double angle = static_cast<double>(position) * frequency;
    const double a = pairs[i];
    const double b = pairs[i + 1];
    pairs[i] = a * std::cos(angle) - b * std::sin(angle);
    pairs[i + 1] = a * std::sin(angle) + b * std::cos(angle);
  }
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// All rows of x as positions 0, 1, ...: keys and values of every head are made, nothing is shared.
std::vector<double> Block::compute(const Rows& x, const RopeScaling& scaling) const {
  std::vector<std::vector<double>> up, k_rope;
  std::vector<double> result;
  for (std::size_t t = 0; t < x.rows(); ++t) {
    const std::vector<double> row = x.row(t);
    std::vector<double> query =
        compressed ? affine(q, nn_test::rms_norm(affine(q_a, row), q_norm, 1e-6)) : affine(q, row);
    std::vector<double> latent = affine(kv_a, row, kv_a_bias);
    k_rope.emplace_back(latent.begin() + 21, latent.end());
    rotate(k_rope.back().data(), t);
    latent.resize(21);
    up.push_back(affine(kv_b, nn_test::rms_norm(latent, kv_norm, 1e-6)));

    if (scaling.query_scaling_beta > 0.0) {
      const std::size_t lengths = t / scaling.original_max_position_embeddings;
      for (double& value : query)
        value *= 1.0 + scaling.query_scaling_beta * std::log(1.0 + static_cast<double>(lengths));
    }

    std::vector<double> heads(3 * 7, 0.0);
    for (std::size_t head = 0; head < 3; ++head) {
      rotate(query.data() + head * 16 + 10, t);
      const std::span<const double> q_head(query.data() + head * 16, 16);
      std::vector<double> weights;
      for (std::size_t key = 0; key <= t; ++key) {
        const std::span<const double> k_nope(up[key].data() + head * 17, 10);
        weights.push_back(std::exp(static_cast<double>(kShape.softmax_scale) *
                                   (dot(q_head.first(10), k_nope) + dot(q_head.last(6), k_rope[key]))));
      }
      const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
      for (std::size_t key = 0; key <= t; ++key)
        for (std::size_t i = 0; i < 7; ++i)
          heads[head * 7 + i] += weights[key] / sum * up[key][head * 17 + 10 + i];
    }
    const std::vector<double> out = affine(o, heads);
    result.insert(result.end(), out.begin(), out.end());
  }
  return result;
}

std::vector<float> run(const MlaAttention& attention, const Rows& x, const std::vector<std::size_t>& pieces,
                       AttentionPath path, Workspace& workspace, const RopeScaling& scaling = {}) {
  const Rope position(scaling, kShape.qk_rope_head_dim, RopePairing::interleaved);
  return nn_test::run_in_pieces(attention, position, x, pieces, {.path = path}, workspace);
}

constexpr AttentionPath kPaths[] = {AttentionPath::automatic, AttentionPath::decompressed,
                                    AttentionPath::absorbed};

void check_against(const std::vector<double>& expected, const MlaAttention& attention, const Rows& x,
                   const std::vector<std::size_t>& pieces, Workspace& workspace,
                   const RopeScaling& scaling = {}) {
  for (const AttentionPath path : kPaths) {
    CAPTURE(path, pieces);
    const std::vector<float> found = run(attention, x, pieces, path, workspace, scaling);
    CHECK(largest_difference(found, std::span(expected).first(found.size())) < kTolerance);
  }
}

}  // namespace

TEST_CASE("attention: both ways give the published formula, in one piece") {
  Random random(16);
  Workspace workspace(1, best_kernels());
  const Block block(random, DType::f32, true);
  const MlaAttention attention = block.part();
  CHECK(attention.cache_widths().first == 21);
  CHECK(attention.cache_widths().second == 6);
  const Rows x(random, kMostTokens, kHidden, 2);
  const std::vector<double> expected = block.compute(x);
  for (const std::size_t rows : {1U, 2U, 3U, 4U, 5U, 63U, 64U, 65U, 127U, 128U, 129U, 192U, 237U})
    check_against(expected, attention, x, {rows}, workspace);
}

TEST_CASE("attention: both ways give the published formula, in pieces") {
  Random random(17);
  Workspace workspace(1, best_kernels());
  const Block block(random, DType::f32, false);
  const MlaAttention attention = block.part();
  const Rows x(random, kMostTokens, kHidden);
  const std::vector<double> expected = block.compute(x);
  const std::vector<std::vector<std::size_t>> plans = {std::vector<std::size_t>(70, 1),
                                                       {64, 64},
                                                       {63, 1, 1, 64, 2},
                                                       {65, 63, 3, 4, 5, 97},
                                                       {1, 128, 64},
                                                       {37, 200},
                                                       {200, 1, 2, 3, 4},
                                                       {100, 65, 72}};
  for (const std::vector<std::size_t>& pieces : plans)
    check_against(expected, attention, x, pieces, workspace);
}

TEST_CASE("attention: queries scaled by their position, both ways, in pieces that are batches again") {
  Random random(22);
  Workspace workspace(1, best_kernels());
  const Block block(random, DType::f32, true);
  const MlaAttention attention = block.part();
  const Rows x(random, 100, kHidden);
  RopeScaling scaling;
  scaling.query_scaling_beta = 0.7;
  scaling.original_max_position_embeddings = 9;
  const std::vector<double> expected = block.compute(x, scaling);
  CHECK(largest_difference(run(attention, x, {100}, AttentionPath::automatic, workspace), expected) > 0.01);
  for (const std::vector<std::size_t>& pieces : std::vector<std::vector<std::size_t>>{
           {100}, {8, 1, 1, 70}, std::vector<std::size_t>(30, 1), {66, 3, 31}})
    check_against(expected, attention, x, pieces, workspace, scaling);
}

TEST_CASE("attention: weights of every type, on all kernels") {
  Random random(18);
  for (const DType dtype : nn_test::kAllTypes) {
    const Block block(random, dtype, true);
    const MlaAttention attention = block.part();
    const Rows x(random, 73, kHidden);
    const std::vector<double> expected = block.compute(x);
    for (const Kernels* kernels : available_kernels()) {
      CAPTURE(dtype_name(dtype), kernels->name);
      Workspace workspace(1, *kernels);
      check_against(expected, attention, x, {66, 1, 2, 4}, workspace);
    }
  }
}

TEST_CASE("attention: matrices for keys and values that come apart, the first transposed") {
  Random random(22);
  for (const DType dtype : nn_test::kAllTypes) {
    Block block(random, dtype, true);
    block.split_up(random, dtype);
    const MlaAttention attention = block.part();
    const Rows x(random, 73, kHidden);
    const std::vector<double> expected = block.compute(x);
    for (const Kernels* kernels : available_kernels()) {
      CAPTURE(dtype_name(dtype), kernels->name);
      Workspace workspace(1, *kernels);
      check_against(expected, attention, x, {66, 1, 2, 4}, workspace);
      check_against(expected, attention, x, {1, 1, 1, 3, 5, 62}, workspace);
    }
  }
}

TEST_CASE("attention: a later token never changes what an earlier one gets") {
  Random random(19);
  Workspace workspace(1, best_kernels());
  const Block block(random, DType::f32, true);
  const MlaAttention attention = block.part();
  const Rows x(random, 130, kHidden);
  for (const AttentionPath path : kPaths)
    for (const std::size_t changed : {1U, 5U, 63U, 64U, 100U, 129U}) {
      Rows other = x;
      for (std::size_t row = changed; row < other.rows(); ++row)
        for (std::size_t col = 0; col < kHidden; ++col) other.at(row, col) = 100.0F * random.value();
      for (const std::vector<std::size_t>& pieces :
           {std::vector<std::size_t>{130}, std::vector<std::size_t>{3, 60, 67}}) {
        CAPTURE(path, changed, pieces);
        const std::vector<float> before = run(attention, x, pieces, path, workspace);
        const std::vector<float> after = run(attention, other, pieces, path, workspace);
        const auto end = static_cast<std::ptrdiff_t>(changed * kHidden);
        CHECK(std::equal(before.begin(), before.begin() + end, after.begin()));
        CHECK_FALSE(std::equal(before.begin() + end, before.begin() + end + 1, after.begin() + end));
      }
    }
}

TEST_CASE("attention: scores far beyond what exp can take") {
  Random random(20);
  Workspace workspace(1, best_kernels());
  const Block block(random, DType::f32, false);
  const MlaAttention attention = block.part();
  Rows x(random, 70, kHidden);
  for (std::size_t col = 0; col < kHidden; ++col) x.at(40, col) *= 1e4F;
  for (const AttentionPath path : kPaths) {
    const std::vector<float> found = run(attention, x, {66, 4}, path, workspace);
    CHECK(std::all_of(found.begin(), found.end(), [](float value) { return std::isfinite(value); }));
  }
}

TEST_CASE("attention: any number of threads gives the same bits", "[threads]") {
  Random random(21);
  const Block block(random, DType::bf16, true);
  const MlaAttention attention = block.part();
  const Rows x(random, 80, kHidden);
  for (const AttentionPath path : kPaths) {
    Workspace one(1, best_kernels());
    const std::vector<float> alone = run(attention, x, {70, 1, 9}, path, one);
    for (const int threads : {2, 3, 8}) {
      CAPTURE(path, threads);
      Workspace workspace(threads, best_kernels());
      CHECK(run(attention, x, {70, 1, 9}, path, workspace) == alone);
    }
  }
}

TEST_CASE("attention: the cheaper way, by counting multiplications") {
  const MlaShape shape{.num_heads = 16,
                       .kv_lora_rank = 512,
                       .qk_nope_head_dim = 128,
                       .qk_rope_head_dim = 64,
                       .v_head_dim = 128,
                       .softmax_scale = 1.0F};
  const MlaAttention attention(shape, {});
  const auto cheaper = [&](std::size_t rows, std::size_t context) {
    return attention.cheaper_path(rows, context);
  };
  CHECK(cheaper(163, 4096) == AttentionPath::absorbed);
  CHECK(cheaper(164, 4096) == AttentionPath::decompressed);
  for (std::size_t rows = 1; rows <= 4096; ++rows)
    REQUIRE((cheaper(rows, 4096) == AttentionPath::absorbed) == (rows <= 163));
  // Decompressing costs C 512 256 + R C 320, absorbing R 512 256 + R C 1088.
  CHECK(cheaper(1, 1) == AttentionPath::decompressed);
  CHECK(cheaper(1, 2) == AttentionPath::absorbed);
  CHECK(cheaper(1, 131072) == AttentionPath::absorbed);
  CHECK(cheaper(512, 512) == AttentionPath::decompressed);
}
