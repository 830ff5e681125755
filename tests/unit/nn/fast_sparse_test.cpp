// Sparse latent attention for Precision::fast against the exact one.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nn/mla_attention.h"
#include "positional/registry.h"
#include "positional/rope.h"
#include "unit/base/thrown.h"
#include "unit/nn/fast_attention_run.h"
#include "unit/nn/fast_mla_block.h"
#include "unit/nn/indexer_reference.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::IndexerBlock;
using nn_test::kSafe;
using nn_test::make_fast;
using nn_test::MlaBlock;
using nn_test::MlaSetting;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::relative_error;
using nn_test::Rows;
using nn_test::Weight;

namespace {

constexpr std::size_t kQueryRank = 22;
constexpr std::size_t kIndexRotary = 6;

/// An MLA block with compressed queries, whose indexer selects.
struct SparseBlock {
  MlaBlock dense;
  Weight q_a, q;
  std::vector<float> q_norm;
  IndexerBlock index;

  SparseBlock(Random& random, const MlaSetting& setting, std::size_t top_k)
      : dense(random, setting),
        q_a(random_weight(random, DType::f32, kQueryRank, nn_test::kMlaHidden, 0.4F)),
        q(random_weight(random, DType::f32, setting.heads * (setting.nope + setting.rope), kQueryRank, 0.4F)),
        q_norm(random.values(kQueryRank)),
        index(random, DType::f32,
              {.num_heads = 9, .head_dim = 10, .rotary_dim = kIndexRotary, .top_k = top_k}, kQueryRank,
              nn_test::kMlaHidden) {}

  MlaAttention part(bool sparse = true) const {
    MlaWeights weights;
    weights.compression = QueryCompression{Linear(q_a.view), Norm(q_norm, 1e-6F)};
    weights.q_proj = Linear(q.view);
    weights.kv_a_proj_with_mqa = Linear(dense.kv_a.view);
    weights.kv_a_layernorm = Norm(dense.kv_norm, 1e-6F);
    weights.kv_b_proj = Linear(dense.keys.view);
    weights.o_proj = Linear(dense.o.view);
    if (sparse) weights.indexer = index.part();
    return MlaAttention(dense.shape, std::move(weights));
  }

  std::size_t width() const { return dense.setting.heads * dense.setting.value; }

  /// Whether a row's choice is clear, whatever rounding does.
  std::vector<bool> clear_rows(const Rows& x, bool rotates) const {
    std::vector<std::vector<double>> latents;
    for (std::size_t row = 0; row < x.rows(); ++row)
      latents.push_back(nn_test::rms_norm(nn_test::affine(q_a, x.row(row)), q_norm, 1e-6));
    const auto scores = index.scores(x, latents, rotates);
    std::vector<bool> clear;
    for (std::size_t row = 0; row < x.rows(); ++row)
      clear.push_back(nn_test::greatest(std::span(scores[row]).first(row + 1), index.shape.top_k).second >
                      kSafe);
    return clear;
  }

  std::vector<float> run(const MlaAttention& attention, const PositionalEncoding& position, const Rows& x,
                         const std::vector<std::size_t>& pieces, AttentionPath path, Workspace& workspace,
                         std::size_t offset = 0) const {
    return nn_test::run_in_pieces(attention, position, x, pieces, {.path = path}, workspace, offset, width());
  }
};

/// The values of those rows only.
std::vector<float> rows_of(const std::vector<float>& values, const std::vector<bool>& which) {
  const std::size_t width = values.size() / which.size();
  std::vector<float> some;
  for (std::size_t row = 0; row < which.size(); ++row)
    if (which[row]) some.insert(some.end(), &values[row * width], &values[row * width] + width);
  return some;
}

struct Encoded {
  const char* name;
  std::size_t rope;  ///< Rotary values of a head.
  bool turns_whole_keys;
};
constexpr Encoded kEncodings[] = {
    {"rope", 6, false}, {"alibi", 6, false}, {"none", 0, false}, {"rope", 0, true}};

std::unique_ptr<PositionalEncoding> encoding(const Encoded& encoded, std::size_t heads) {
  EncodingSettings settings;
  settings.num_heads = heads;
  settings.rotary_dim = kIndexRotary;  // The indexer turns as many; of whole keys these are all.
  settings.decoupled = encoded.rope > 0;
  return encoding_named(encoded.name).make(settings);
}

MlaSetting setting(const Encoded& encoded, std::size_t heads) {
  return {.dtype = DType::f32,
          .heads = heads,
          .rank = 64,
          .nope = encoded.turns_whole_keys ? kIndexRotary : 32,
          .rope = encoded.rope};
}

std::vector<AttentionPath> paths(const Encoded& encoded) {
  if (encoded.turns_whole_keys) return {AttentionPath::automatic, AttentionPath::decompressed};
  return {AttentionPath::automatic, AttentionPath::decompressed, AttentionPath::absorbed};
}

}  // namespace

TEST_CASE(
    "fast sparse attention: near the exact one, under encodings of every kind, on every instruction set") {
  Random random(90);
  for (const Encoded& encoded : kEncodings)
    for (const std::size_t top_k : {1U, 40U, 270U}) {  // 270: two blocks of selected keys.
      const std::size_t heads = top_k == 40 ? 70 : 5;  // 70: two tiles a token.
      const SparseBlock block(random, setting(encoded, heads), top_k);
      const auto position = encoding(encoded, heads);
      const std::size_t tokens = top_k == 270 ? 300 : 90;
      const Rows x(random, tokens, nn_test::kMlaHidden);
      const std::vector<bool> clear = block.clear_rows(x, position->stage() == EncodingStage::rotation);
      CHECK(static_cast<std::size_t>(std::count(clear.begin(), clear.end(), true)) >= tokens * 9 / 10);
      PageMemory memory;
      MlaAttention fast = block.part();
      make_fast(fast, memory);
      Workspace exact_workspace(1, best_kernels());
      const std::vector<float> exact = rows_of(
          block.run(block.part(), *position, x, {tokens}, AttentionPath::decompressed, exact_workspace),
          clear);
      for (const Isa isa : available_isas()) {
        Workspace workspace(2, kernels_for(isa), packed_kernels(isa));
        for (const AttentionPath path : paths(encoded)) {
          CAPTURE(encoded.name, encoded.rope, top_k, name_of(isa), path);
          const std::vector<float> found =
              rows_of(block.run(fast, *position, x, {tokens}, path, workspace), clear);
          CHECK(relative_error(found, exact) < nn_test::kRounding);
          CHECK(relative_error(found, exact) > 1e-4);
        }
      }
    }
}

TEST_CASE("fast sparse attention: the same bits however a text is cut and on any number of threads",
          "[threads]") {
  Random random(91);
  for (const Encoded& encoded : kEncodings) {
    // Fewer than and as many as the keys of the last row; 290: crosses a block of selected keys.
    for (const std::size_t top_k : {5U, 290U, 330U}) {
      const std::size_t tokens = 330;
      const SparseBlock block(random, setting(encoded, 3), top_k);
      const auto position = encoding(encoded, 3);
      const Rows x(random, tokens, nn_test::kMlaHidden);
      PageMemory memory;
      MlaAttention fast = block.part();
      make_fast(fast, memory);
      for (const Isa isa : nn_test::some_isas()) {
        Workspace alone(1, kernels_for(isa), packed_kernels(isa));
        for (const AttentionPath path : paths(encoded)) {
          const std::vector<float> whole = block.run(fast, *position, x, {tokens}, path, alone, 9);
          for (const int threads : {1, 3})
            for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{64}, tokens}) {
              if (size < 64 && (threads == 1 || top_k != 290)) continue;
              CAPTURE(encoded.name, encoded.rope, top_k, name_of(isa), path, threads, size);
              Workspace workspace(threads, kernels_for(isa), packed_kernels(isa));
              CHECK((block.run(fast, *position, x, nn_test::pieces_of(tokens, size), path, workspace, 9) ==
                     whole));
            }
        }
      }
    }
  }
}

TEST_CASE("fast sparse attention: while all is selected every bit is dense attention's") {
  Random random(92);
  Workspace workspace(2, best_kernels());
  for (const Encoded& encoded : kEncodings) {
    const SparseBlock block(random, setting(encoded, 3), 80);
    const auto position = encoding(encoded, 3);
    const Rows x(random, 80, nn_test::kMlaHidden);
    PageMemory memory;
    MlaAttention sparse = block.part();
    MlaAttention dense = block.part(false);
    make_fast(sparse, memory);
    make_fast(dense, memory);
    for (const AttentionPath path : paths(encoded)) {
      CAPTURE(encoded.name, path);
      CHECK((block.run(sparse, *position, x, {60, 20}, path, workspace) ==
             block.run(dense, *position, x, {60, 20}, path, workspace)));
    }
  }
}

TEST_CASE("fast sparse attention: the cache has latents of bf16 and the indexer's keys of float32") {
  Random random(93);
  const SparseBlock block(random, {.rank = 33, .rope = 6}, 5);
  PageMemory memory;
  MlaAttention attention = block.part();
  make_fast(attention, memory);
  const CacheWidths widths = attention.cache_widths();
  CHECK(widths.element == CacheElement::bf16);
  CHECK(widths.first == 64 + 32);
  CHECK(widths.third == 10);
  CHECK(KvCache({widths}, 1).bytes_per_token() == 2 * 96 + 4 * 10);
}
