// The lightning indexer against its published formula in double.
#include "nn/indexer.h"

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "base/page_memory.h"
#include "kernels/kernels.h"
#include "nn/kv_cache.h"
#include "positional/registry.h"
#include "positional/rope.h"
#include "unit/nn/indexer_reference.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::IndexerBlock;
using nn_test::kSafe;
using nn_test::Random;
using nn_test::Rows;

namespace {

constexpr std::size_t kHidden = 19;
constexpr std::size_t kRank = 11;

using Selected = std::vector<std::vector<std::uint32_t>>;

struct Run {
  std::vector<std::size_t> pieces;
  AttentionMask mask = AttentionMask::causal;
  int threads = 1;
  const Kernels* kernels = &best_kernels();
  Isa isa = chosen_isa();  ///< Of the kernels for panels.
};

/// What each row of x selects; nothing where it attends to all it sees.
Selected run(const Indexer& indexer, const PositionalEncoding& position, const Rows& x, const Rows& latents,
             const Run& how) {
  KvCache cache({{1, 1, indexer.shape().head_dim}}, x.rows());
  cache.reserve(x.rows());
  Workspace workspace(how.threads, *how.kernels, packed_kernels(how.isa));
  const PassOptions options{.mask = how.mask};
  Selected selected;
  PositionBatch batch{.sequence_length = x.rows()};
  for (const std::size_t count : how.pieces) {
    batch.count = count;
    position.prepare(batch);
    const std::size_t context = batch.first + count;
    const AttentionCall call{0, batch, position, {{}, {}, cache.third(0, context)}, options};
    const ConstMatrix rows = x.matrix().middle_rows(batch.first, count);
    indexer.append(rows, call, workspace);
    const Selection selection =
        indexer.select(rows, latents.matrix().middle_rows(batch.first, count), call, workspace);
    for (std::size_t row = 0; row < count; ++row) {
      const auto chosen = selection.row(row);
      selected.emplace_back(chosen.begin(), chosen.end());
    }
    batch.first = context;
  }
  return selected;
}

std::vector<std::vector<double>> exact(const Rows& rows) {
  std::vector<std::vector<double>> result;
  for (std::size_t row = 0; row < rows.rows(); ++row) result.push_back(rows.row(row));
  return result;
}

/// Compares all rows whose choice does not hang on rounding, which must be nearly all.
void check(const IndexerBlock& block, bool rotates, const Rows& x, const Rows& latents, AttentionMask mask,
           const Selected& selected) {
  const auto scores = block.scores(x, exact(latents), rotates);
  const std::size_t top_k = block.shape.top_k;
  std::size_t compared = 0;
  REQUIRE(selected.size() == x.rows());
  for (std::size_t row = 0; row < x.rows(); ++row) {
    const std::size_t seen = mask == AttentionMask::causal ? row + 1 : x.rows();
    const auto [expected, margin] = nn_test::greatest(std::span(scores[row]).first(seen), top_k);
    if (margin < kSafe) continue;
    ++compared;
    CAPTURE(row);
    CHECK(selected[row] == (seen <= top_k ? std::vector<std::uint32_t>{} : expected));
  }
  CHECK(compared + x.rows() / 10 >= x.rows());
}

IndexerShape shape(std::size_t heads, std::size_t dim, std::size_t rotary, std::size_t top_k) {
  return {.num_heads = heads, .head_dim = dim, .rotary_dim = rotary, .top_k = top_k};
}

}  // namespace

TEST_CASE("indexer: the rows of the greatest scores, on all kernels, weights of every type") {
  Random random(41);
  for (const DType dtype : nn_test::kAllTypes) {
    const IndexerBlock block(random, dtype, shape(9, 10, 6, 13), kRank, kHidden);
    const Rows x(random, 90, kHidden, 1), latents(random, 90, kRank, 2);
    const Rope rope({}, 6, RopePairing::interleaved);
    for (const Kernels* kernels : available_kernels()) {
      CAPTURE(dtype_name(dtype), kernels->name);
      check(block, true, x, latents, AttentionMask::causal,
            run(block.part(), rope, x, latents, {.pieces = {90}, .kernels = kernels}));
    }
  }
}

TEST_CASE("indexer: shapes, over blocks of rows and tiles of keys") {
  Random random(42);
  for (const IndexerShape& of :
       {shape(8, 6, 6, 1), shape(17, 14, 4, 40), shape(6, 5, 0, 299), shape(12, 8, 2, 150)}) {
    const IndexerBlock block(random, DType::f32, of, kRank, kHidden);
    const Rows x(random, 300, kHidden), latents(random, 300, kRank);
    const Rope rope({}, of.rotary_dim > 0 ? of.rotary_dim : 4, RopePairing::interleaved);
    for (const AttentionMask mask : {AttentionMask::causal, AttentionMask::bidirectional}) {
      CAPTURE(of.head_dim, mask == AttentionMask::causal);
      check(block, true, x, latents, mask,
            run(block.part(), rope, x, latents, {.pieces = {300}, .mask = mask}));
    }
  }
}

TEST_CASE("indexer: it follows the encoding in use, in pairs of its own") {
  Random random(43);
  const IndexerBlock block(random, DType::f32, shape(9, 10, 6, 12), kRank, kHidden);
  const Rows x(random, 70, kHidden), latents(random, 70, kRank);
  const Selected interleaved =
      run(block.part(), Rope({}, 6, RopePairing::interleaved), x, latents, {.pieces = {70}});
  CHECK(interleaved == run(block.part(), Rope({}, 6, RopePairing::halves), x, latents, {.pieces = {70}}));
  for (const char* name : {"none", "alibi", "sinusoidal"}) {
    CAPTURE(name);
    EncodingSettings settings;
    settings.hidden_size = kHidden;
    settings.num_heads = 3;
    const auto encoding = encoding_named(name).make(settings);
    const Selected selected = run(block.part(), *encoding, x, latents, {.pieces = {70}});
    CHECK(selected != interleaved);
    check(block, false, x, latents, AttentionMask::causal, selected);
  }
}

TEST_CASE("indexer: in pieces and one by one it selects what it selects at once") {
  Random random(44);
  const IndexerBlock block(random, DType::bf16, shape(9, 10, 6, 20), kRank, kHidden);
  const Rows x(random, 100, kHidden), latents(random, 100, kRank);
  const Rope rope({}, 6, RopePairing::interleaved);
  const std::vector<std::vector<std::size_t>> plans = {
      std::vector<std::size_t>(100, 1), {20, 80}, {19, 2, 79}, {64, 36}, {3, 1, 30, 66}};
  for (const auto& pieces : plans) {
    CAPTURE(pieces);
    check(block, true, x, latents, AttentionMask::causal,
          run(block.part(), rope, x, latents, {.pieces = pieces}));
  }
}

TEST_CASE("indexer: while all is selected nothing is") {
  Random random(45);
  const IndexerBlock block(random, DType::f32, shape(3, 10, 6, 24), kRank, kHidden);
  const Rows x(random, 25, kHidden), latents(random, 25, kRank);
  const Rope rope({}, 6, RopePairing::interleaved);
  const Selected selected = run(block.part(), rope, x, latents, {.pieces = {24, 1}});
  for (std::size_t row = 0; row < 24; ++row) CHECK(selected[row].empty());
  CHECK(selected[24].size() == 24);
}

TEST_CASE("indexer: any number of threads gives the same selection", "[threads]") {
  Random random(46);
  // Scores are equal to some bits only if sums are added in the same order; few heads make many of them zero.
  const IndexerBlock block(random, DType::bf16, shape(3, 10, 6, 30), kRank, kHidden);
  const Rows x(random, 400, kHidden), latents(random, 400, kRank);
  const Rope rope({}, 6, RopePairing::interleaved);
  const Selected alone = run(block.part(), rope, x, latents, {.pieces = {300, 1, 99}});
  for (const int threads : {2, 3, 8}) {
    CAPTURE(threads);
    CHECK(run(block.part(), rope, x, latents, {.pieces = {300, 1, 99}, .threads = threads}) == alone);
  }
}

namespace {

/// As Model::load makes it for Precision::fast.
Indexer fast_indexer(const IndexerBlock& block, PageMemory& memory) {
  Indexer indexer = block.part();
  indexer.use_fast();
  std::size_t matrices = 0;
  indexer.visit_linears([&](Linear& linear, LinearRole role) {
    const std::optional<DType> type = packed_type(linear, role, DType::q4_0);
    REQUIRE(type == DType::f32);
    linear.reserve_panels(*type, memory);
    for (std::size_t panel = 0; panel < linear.packed().panels(); ++panel)
      linear.pack_panel(panel, best_kernels());
    ++matrices;
  });
  REQUIRE(matrices == 3);
  return indexer;
}

}  // namespace

TEST_CASE("fast indexer: the rows of the greatest scores, on every instruction set, over blocks and tiles") {
  Random random(47);
  for (const IndexerShape& of : {shape(9, 10, 6, 13), shape(17, 14, 4, 40), shape(6, 33, 0, 299)}) {
    const IndexerBlock block(random, DType::bf16, of, kRank, kHidden);
    const Rows x(random, 300, kHidden), latents(random, 300, kRank);
    const Rope rope({}, of.rotary_dim > 0 ? of.rotary_dim : 4, RopePairing::interleaved);
    PageMemory memory;
    const Indexer indexer = fast_indexer(block, memory);
    for (const Isa isa : available_isas()) {
      CAPTURE(name_of(isa), of.head_dim);
      check(block, true, x, latents, AttentionMask::causal,
            run(indexer, rope, x, latents,
                {.pieces = {300}, .threads = 2, .kernels = &kernels_for(isa), .isa = isa}));
    }
  }
}

TEST_CASE("fast indexer: in any pieces and on any number of threads the same is selected", "[threads]") {
  Random random(48);
  // Tokens come again and again, and nothing is rotated: their scores are equal if their sums have one order, and which of
  // them are chosen shows a difference of a bit.
  for (const std::size_t heads : {1U, 6U}) {
    const IndexerBlock block(random, DType::bf16, shape(heads, 100, 0, 30), kRank, kHidden);
    Rows x(random, 300, kHidden);
    for (std::size_t row = 37; row < 300; ++row)
      for (std::size_t col = 0; col < kHidden; ++col) x.at(row, col) = x.at(row - 37, col);
    const Rows latents(random, 300, kRank);
    const Rope rope({}, 4, RopePairing::interleaved);
    PageMemory memory;
    const Indexer indexer = fast_indexer(block, memory);
    for (const Isa isa : nn_test::some_isas()) {
      const auto selected = [&](const std::vector<std::size_t>& pieces, int threads) {
        return run(indexer, rope, x, latents,
                   {.pieces = pieces, .threads = threads, .kernels = &kernels_for(isa), .isa = isa});
      };
      const Selected whole = selected({300}, 1);
      for (const int threads : {1, 3})
        for (const std::vector<std::size_t>& pieces :
             {std::vector<std::size_t>(300, 1), {3, 3, 200, 3, 1, 90}, {64, 64, 64, 64, 44}, {300}}) {
          CAPTURE(name_of(isa), heads, threads, pieces);
          CHECK((selected(pieces, threads) == whole));
        }
    }
  }
}

namespace {

/// Scores of two values only: tokens for which the one head's product is positive, and those where it is not.
class Ties {
 public:
  explicit Ties(std::size_t tokens) : x_(tokens, 2), latents_(tokens, 1) {
    for (std::size_t s = 0; s < tokens; ++s) {
      x_.at(s, 0) = (s * s + s / 3) % 4 < 2 ? 1.0F : -1.0F;
      x_.at(s, 1) = 1.0F;
      latents_.at(s, 0) = 1.0F;
    }
  }

  std::vector<std::uint32_t> chosen(std::size_t row, std::size_t top_k,
                                    const std::vector<std::size_t>& pieces) {
    Random random(0);
    IndexerBlock block(random, DType::f32, shape(1, 2, 0, top_k), 1, 2);
    block.wq_b = nn_test::make_weight(random, DType::f32, 2, 1, {1.0F, -1.0F});
    block.wk = nn_test::make_weight(random, DType::f32, 2, 2, {1.0F, 0.0F, -1.0F, 0.0F});
    block.weights_proj = nn_test::make_weight(random, DType::f32, 1, 2, {0.0F, 1.0F});
    block.k_norm = {1.0F, 1.0F};
    block.k_norm_bias = {0.0F, 0.0F};
    const auto none = encoding_named("none").make({});
    return run(block.part(), *none, x_, latents_, {.pieces = pieces})[row];
  }

 private:
  Rows x_;
  Rows latents_;
};

}  // namespace

#if defined(__GLIBCXX__)  // The library that torch is built with.
TEST_CASE("indexer: of equal scores it takes those that torch.topk takes on the CPU") {
  using Places = std::vector<std::uint32_t>;
  // Computed with torch 2.13 from rows of 40 values of which the first row + 1 are not masked.
  Ties forty(40);
  const Places all = {0, 1, 2, 4, 9, 11, 12, 13, 14, 16, 21, 23, 24, 25, 26, 28, 33, 36, 37, 38};
  const Places thirty_three = {0, 1, 2, 4, 9, 11, 12, 13, 14, 16, 21, 23, 24, 25, 26, 27, 28, 29, 30, 32};
  for (const std::vector<std::size_t>& pieces :
       {std::vector<std::size_t>{40}, std::vector<std::size_t>{7, 25, 8}}) {
    CHECK(forty.chosen(39, 20, pieces) == all);
    CHECK(forty.chosen(32, 20, pieces) == thirty_three);
    CHECK(forty.chosen(24, 4, pieces) == Places{9, 11, 12, 13});
  }
  CHECK(Ties(12).chosen(11, 5, {12}) == Places{0, 1, 4, 9, 11});
  CHECK(Ties(200).chosen(189, 3, {200}) == Places{0, 1, 2});
}
#endif
