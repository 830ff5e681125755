// Latent attention to the rows that an indexer selects, against plain loops in double.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "nn/mla_attention.h"
#include "positional/registry.h"
#include "unit/nn/attention_run.h"
#include "unit/nn/indexer_reference.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::IndexerBlock;
using nn_test::kSafe;
using nn_test::largest_difference;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::Rows;
using nn_test::run_in_pieces;
using nn_test::Weight;

namespace {

constexpr double kTolerance = 2e-5;  // Results are of the order of one.
constexpr std::size_t kHidden = 18;
constexpr std::size_t kRank = 12;
constexpr MlaShape kShape{.num_heads = 3,
                          .kv_lora_rank = 13,
                          .qk_nope_head_dim = 8,
                          .qk_rope_head_dim = 4,
                          .v_head_dim = 5,
                          .softmax_scale = 0.4F};

constexpr AttentionPath kPaths[] = {AttentionPath::automatic, AttentionPath::decompressed,
                                    AttentionPath::absorbed};

struct Block {
  Weight q_a, q, kv_a, kv_b, o;
  std::vector<float> q_norm, kv_norm;
  IndexerBlock index;

  Block(Random& random, std::size_t top_k)
      : q_a(random_weight(random, DType::f32, kRank, kHidden, 0.5F)),
        q(random_weight(random, DType::f32, 3 * 12, kRank, 0.7F)),
        kv_a(random_weight(random, DType::f32, 13 + 4, kHidden, 0.5F)),
        kv_b(random_weight(random, DType::f32, 3 * 13, 13, 0.6F)),
        o(random_weight(random, DType::f32, kHidden, 3 * 5, 0.5F)),
        q_norm(random.values(kRank)),
        kv_norm(random.values(13)),
        index(random, DType::f32, {.num_heads = 9, .head_dim = 7, .rotary_dim = 4, .top_k = top_k}, kRank,
              kHidden) {}

  MlaAttention part(bool sparse = true) const {
    MlaWeights weights;
    weights.compression = QueryCompression{Linear(q_a.view), Norm(q_norm, 1e-6F)};
    weights.q_proj = Linear(q.view);
    weights.kv_a_proj_with_mqa = Linear(kv_a.view);
    weights.kv_a_layernorm = Norm(kv_norm, 1e-6F);
    weights.kv_b_proj = Linear(kv_b.view);
    weights.o_proj = Linear(o.view);
    if (sparse) weights.indexer = index.part();
    return MlaAttention(kShape, std::move(weights));
  }

  std::vector<double> latent_query(const Rows& x, std::size_t row) const {
    return nn_test::rms_norm(affine(q_a, x.row(row)), q_norm, 1e-6);
  }

  std::vector<double> compute(const Rows& x, bool causal, const PositionalEncoding& encoding) const;
};

/// Neighbouring pairs, as the attention has them.
void rotate(double* pairs, std::size_t position) {
  for (std::size_t i = 0; i < 4; i += 2) {
    const double angle = static_cast<double>(position) * std::pow(10000.0, -static_cast<double>(i) / 4.0);
    const double a = pairs[i];
    const double b = pairs[i + 1];
    pairs[i] = a * std::cos(angle) - b * std::sin(angle);
    pairs[i + 1] = a * std::sin(angle) + b * std::cos(angle);
  }
}

double dot(const double* a, const double* b, std::size_t n) {
  return std::inner_product(a, a + n, b, 0.0);
}

std::vector<double> Block::compute(const Rows& x, bool causal, const PositionalEncoding& encoding) const {
  const bool rotates = encoding.stage() == EncodingStage::rotation;
  std::vector<std::vector<double>> latents, up, k_rope;
  for (std::size_t t = 0; t < x.rows(); ++t) {
    latents.push_back(latent_query(x, t));
    std::vector<double> latent = affine(kv_a, x.row(t));
    k_rope.emplace_back(latent.begin() + 13, latent.end());
    if (rotates) rotate(k_rope.back().data(), t);
    latent.resize(13);
    up.push_back(affine(kv_b, nn_test::rms_norm(latent, kv_norm, 1e-6)));
  }
  const auto index_scores = index.scores(x, latents, rotates);
  std::vector<double> result;
  for (std::size_t t = 0; t < x.rows(); ++t) {
    const std::span<const double> seen = std::span(index_scores[t]).first(causal ? t + 1 : x.rows());
    const auto [chosen, margin] = nn_test::greatest(seen, index.shape.top_k);
    REQUIRE(margin > kSafe);
    std::vector<double> query = affine(q, latents[t]);
    std::vector<double> heads(3 * 5, 0.0);
    for (std::size_t head = 0; head < 3; ++head) {
      if (rotates) rotate(query.data() + head * 12 + 8, t);
      const double* q_head = query.data() + head * 12;
      std::vector<double> weights;
      for (const std::uint32_t key : chosen) {
        const double bias = encoding.stage() == EncodingStage::scores
                                ? static_cast<double>(encoding.values(t > key ? t - key : key - t, 3)[head])
                                : 0.0;
        weights.push_back(
            std::exp(static_cast<double>(kShape.softmax_scale) * (dot(q_head, up[key].data() + head * 13, 8) +
                                                                  dot(q_head + 8, k_rope[key].data(), 4)) +
                     bias));
      }
      const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
      for (std::size_t i = 0; i < chosen.size(); ++i)
        for (std::size_t j = 0; j < 5; ++j)
          heads[head * 5 + j] += weights[i] / sum * up[chosen[i]][head * 13 + 8 + j];
    }
    const std::vector<double> out = affine(o, heads);
    result.insert(result.end(), out.begin(), out.end());
  }
  return result;
}

std::unique_ptr<PositionalEncoding> encoding(const std::string& name) {
  EncodingSettings settings;
  settings.hidden_size = kHidden;
  settings.num_heads = 3;
  settings.rotary_dim = 4;
  settings.decoupled = true;
  return encoding_named(name).make(settings);
}

/// Rows for which no choice hangs on rounding.
Rows clear_rows(Random& random, const Block& block, std::size_t count, bool rotates) {
  for (;;) {
    Rows x(random, count, kHidden);
    std::vector<std::vector<double>> latents;
    for (std::size_t t = 0; t < count; ++t) latents.push_back(block.latent_query(x, t));
    const auto scores = block.index.scores(x, latents, rotates);
    bool clear = true;
    for (std::size_t t = 0; t < count; ++t)
      for (const std::size_t seen : {t + 1, count})
        clear &= nn_test::greatest(std::span(scores[t]).first(seen), block.index.shape.top_k).second > kSafe;
    if (clear) return x;
  }
}

}  // namespace

TEST_CASE("sparse attention: both ways, in pieces, under encodings of every stage, on all kernels") {
  Random random(51);
  for (const std::size_t top_k : {7U, 30U}) {  // 7: the absorbed way goes row by row beyond 56 tokens.
    const Block block(random, top_k);
    const MlaAttention attention = block.part();
    CHECK(attention.cache_widths().third == 7);
    for (const char* name : {"rope", "alibi", "none"}) {
      const auto position = encoding(name);
      const Rows x = clear_rows(random, block, 80, std::string_view(name) == "rope");
      const std::vector<double> expected = block.compute(x, true, *position);
      for (const Kernels* kernels : available_kernels()) {
        Workspace workspace(1, *kernels);
        for (const AttentionPath path : kPaths)
          for (const std::vector<std::size_t>& pieces :
               {std::vector<std::size_t>{80}, std::vector<std::size_t>(80, 1),
                std::vector<std::size_t>{5, 30, 3, 42}, std::vector<std::size_t>{66, 2, 12}}) {
            CAPTURE(top_k, name, kernels->name, path, pieces);
            const std::vector<float> found =
                run_in_pieces(attention, *position, x, pieces, {.path = path}, workspace);
            CHECK(largest_difference(found, expected) < kTolerance);
          }
      }
    }
  }
}

TEST_CASE("sparse attention: without a mask it chooses among all rows") {
  Random random(52);
  const Block block(random, 9);
  const auto position = encoding("rope");
  const Rows x = clear_rows(random, block, 75, true);
  const std::vector<double> expected = block.compute(x, false, *position);
  Workspace workspace(1, best_kernels());
  for (const AttentionPath path : kPaths) {
    CAPTURE(path);
    const PassOptions options{.path = path, .mask = AttentionMask::bidirectional};
    CHECK(largest_difference(run_in_pieces(block.part(), *position, x, {75}, options, workspace), expected) <
          kTolerance);
  }
}

TEST_CASE("sparse attention: while all is selected every bit is dense attention's") {
  Random random(53);
  const Block block(random, 70);
  const auto position = encoding("rope");
  const Rows x(random, 70, kHidden);
  Workspace workspace(1, best_kernels());
  for (const AttentionPath path : kPaths)
    for (const std::vector<std::size_t>& pieces :
         {std::vector<std::size_t>{70}, std::vector<std::size_t>{66, 1, 3}}) {
      CAPTURE(path, pieces);
      CHECK(run_in_pieces(block.part(), *position, x, pieces, {.path = path}, workspace) ==
            run_in_pieces(block.part(false), *position, x, pieces, {.path = path}, workspace));
    }
}

TEST_CASE("sparse attention: any number of threads gives the same bits", "[threads]") {
  Random random(54);
  const Block block(random, 8);
  const auto position = encoding("rope");
  const Rows x(random, 90, kHidden);
  for (const AttentionPath path : kPaths) {
    Workspace one(1, best_kernels());
    const std::vector<float> alone =
        run_in_pieces(block.part(), *position, x, {70, 1, 19}, {.path = path}, one);
    for (const int threads : {2, 3, 8}) {
      CAPTURE(path, threads);
      Workspace workspace(threads, best_kernels());
      CHECK(run_in_pieces(block.part(), *position, x, {70, 1, 19}, {.path = path}, workspace) == alone);
    }
  }
}

TEST_CASE("sparse attention: what is not selected makes the absorbed way no dearer") {
  const MlaShape shape{.num_heads = 16,
                       .kv_lora_rank = 512,
                       .qk_nope_head_dim = 128,
                       .qk_rope_head_dim = 64,
                       .v_head_dim = 128,
                       .softmax_scale = 1.0F};
  MlaWeights weights;
  weights.indexer = Indexer({.num_heads = 4, .head_dim = 128, .rotary_dim = 64, .top_k = 2048}, {});
  const MlaAttention sparse(shape, std::move(weights));
  const MlaAttention dense(shape, {});
  const auto absorbs = [](const MlaAttention& attention, std::size_t rows, std::size_t context) {
    return attention.cheaper_path(rows, context) == AttentionPath::absorbed;
  };
  for (const std::size_t rows :
       {1U, 3U, 4U, 100U, 300U, 1000U})  // All is selected, or passed over all the same.
    for (const std::size_t context : {100U, 2048U})
      CHECK(absorbs(sparse, rows, context) == absorbs(dense, rows, context));
  CHECK(absorbs(sparse, 163, 4096));
  CHECK_FALSE(absorbs(sparse, 164, 4096));  // As without an indexer.
  // Of 65536 tokens decompressing costs C 512 256 + R C 320, absorbing R 512 256 + R 8 2048 1088.
  CHECK_FALSE(absorbs(dense, 300, 65536));
  CHECK(absorbs(sparse, 300, 65536));
}
