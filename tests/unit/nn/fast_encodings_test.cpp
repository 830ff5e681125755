// MLA for Precision::fast under encodings that add to scores or turn whole keys, against the exact one.
#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/mla_attention.h"
#include "positional/registry.h"
#include "positional/rope.h"
#include "unit/base/thrown.h"
#include "unit/nn/fast_attention_run.h"
#include "unit/nn/fast_mla_block.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::kForms;
using nn_test::kRounding;
using nn_test::make_fast;
using nn_test::MlaBlock;
using nn_test::Random;
using nn_test::relative_error;
using nn_test::Rows;

namespace {

// Beyond a block of keys.
constexpr std::size_t kTokens = 530;

/// A block and the encoding it runs under.
struct Case {
  std::string name;
  MlaBlock block;
  std::unique_ptr<PositionalEncoding> position;

  bool turns_whole_keys() const {
    return block.setting.rope == 0 && position->stage() == EncodingStage::rotation;
  }
  std::vector<AttentionPath> paths() const {
    if (turns_whole_keys()) return {AttentionPath::automatic, AttentionPath::decompressed};
    return {AttentionPath::automatic, AttentionPath::decompressed, AttentionPath::absorbed};
  }

  std::vector<float> run(const MlaAttention& attention, const Rows& x, const std::vector<std::size_t>& pieces,
                         AttentionPath path, Workspace& workspace, std::size_t offset) const {
    return nn_test::run_in_pieces(attention, *position, x, pieces, {.path = path}, workspace, offset,
                                  block.setting.heads * block.setting.value);
  }
};

std::unique_ptr<PositionalEncoding> alibi(std::size_t heads) {
  EncodingSettings settings;
  settings.num_heads = heads;
  return encoding_named("alibi").make(settings);
}

std::unique_ptr<PositionalEncoding> rope(std::size_t dims, RopePairing pairing, RopeType type) {
  RopeScaling scaling;
  scaling.type = type;
  scaling.factor = 2.0;
  scaling.max_position_embeddings = 100;
  scaling.original_max_position_embeddings = 100;
  return std::make_unique<Rope>(scaling, dims, pairing);
}

/// The rows of 270 that see keys of the second block, which are few of all keys and of all rows.
std::vector<float> behind_first_block(const std::vector<float>& rows) {
  return {rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 270 * kKeyBlock), rows.end()};
}

std::vector<Case> cases(Random& random, DType dtype) {
  std::vector<Case> all;
  // 19 heads: tiles of the absorbed form hold parts of tokens.
  all.push_back({"alibi", MlaBlock(random, {.dtype = dtype, .heads = 19, .rank = 64, .rope = 0}), alibi(19)});
  all.push_back(
      {"alibi beside a rotary part", MlaBlock(random, {.dtype = dtype, .heads = 3, .rank = 64}), alibi(3)});
  all.push_back({"whole keys, interleaved", MlaBlock(random, {.dtype = dtype, .rank = 64, .rope = 0}),
                 rope(32, RopePairing::interleaved, RopeType::standard)});
  all.push_back({"whole keys, halves", MlaBlock(random, {.dtype = dtype, .rank = 64, .rope = 0}),
                 rope(32, RopePairing::halves, RopeType::standard)});
  all.push_back({"whole keys, dynamic", MlaBlock(random, {.dtype = dtype, .rank = 64, .rope = 0}),
                 rope(32, RopePairing::halves, RopeType::dynamic)});
  return all;
}

}  // namespace

TEST_CASE("fast mla: a bias on scores and keys that are turned whole, near the exact engine") {
  Random random(80);
  for (const auto& [dtype, offset] :
       {std::pair(DType::bf16, std::size_t{1000}), std::pair(DType::q8_0, std::size_t{0})})
    for (const Case& one : cases(random, dtype)) {
      const Rows x = one.block.input(random, 270);
      PageMemory memory;
      MlaAttention fast = one.block.part();
      make_fast(fast, memory);
      CHECK(fast.cache_widths().element == CacheElement::bf16);
      Workspace exact_workspace(1, best_kernels());
      const std::vector<float> exact =
          one.run(one.block.part(), x, {270}, AttentionPath::decompressed, exact_workspace, offset);
      for (const Isa isa : available_isas()) {
        CAPTURE(one.name, name_of(isa), dtype_name(dtype));
        Workspace workspace(2, kernels_for(isa), packed_kernels(isa));
        for (const AttentionPath path : one.paths()) {
          CAPTURE(path);
          const std::vector<float> found = one.run(fast, x, {270}, path, workspace, offset);
          CHECK(relative_error(found, exact) < nn_test::mla_tolerance(dtype));
          CHECK(relative_error(found, exact) > 1e-4);
          CHECK(relative_error(behind_first_block(found), behind_first_block(exact)) <
                nn_test::mla_tolerance(dtype));
        }
      }
    }
}

TEST_CASE(
    "fast mla: a bias and whole keys give the same bits however a text is cut, on any number of threads",
    "[threads]") {
  Random random(81);
  for (const Case& one : cases(random, DType::bf16)) {
    const Rows x = one.block.input(random, kTokens);
    PageMemory memory;
    MlaAttention fast = one.block.part();
    make_fast(fast, memory);
    for (const Isa isa : nn_test::some_isas()) {
      Workspace alone(1, kernels_for(isa), packed_kernels(isa));
      for (const AttentionPath path : one.paths()) {
        const std::vector<float> whole = one.run(fast, x, {kTokens}, path, alone, 7);
        for (const int threads : {1, 3}) {
          Workspace workspace(threads, kernels_for(isa), packed_kernels(isa));
          for (const std::vector<std::size_t>& pieces :
               {nn_test::pieces_of(kTokens, 64), nn_test::pieces_of(kTokens, kTokens),
                std::vector<std::size_t>{255, 1, 1, 3, 3, 257, 1, 1, 1, 7}}) {
            CAPTURE(one.name, name_of(isa), path, threads, pieces);
            CHECK((one.run(fast, x, pieces, path, workspace, 7) == whole));
          }
        }
      }
    }
  }
}

TEST_CASE("fast mla: token by token and in threes, with a bias and whole keys") {
  Random random(82);
  for (const Case& one : cases(random, DType::bf16)) {
    const Rows x = one.block.input(random, 270);
    PageMemory memory;
    MlaAttention fast = one.block.part();
    make_fast(fast, memory);
    for (const Isa isa : available_isas()) {
      if (isa == Isa::scalar) continue;
      Workspace workspace(2, kernels_for(isa), packed_kernels(isa));
      for (const AttentionPath path : one.paths()) {
        const std::vector<float> whole = one.run(fast, x, {270}, path, workspace, 0);
        for (const std::size_t size : {1U, 3U}) {
          CAPTURE(one.name, name_of(isa), path, size);
          CHECK((one.run(fast, x, nn_test::pieces_of(270, size), path, workspace, 0) == whole));
        }
      }
    }
  }
}

TEST_CASE("fast mla: an encoding other than the one a model was loaded with may turn whole keys") {
  Random random(83);
  Workspace workspace(1, best_kernels());
  const MlaBlock block(random, {.rank = 33, .rope = 0});
  const Rows x = block.input(random, 40);
  const auto turning = rope(32, RopePairing::interleaved, RopeType::standard);
  const auto none = encoding_named("none").make({});
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, memory);
  const auto run = [&](const MlaAttention& attention, const PositionalEncoding& position) {
    return nn_test::run_in_pieces(attention, position, x, {30, 10}, {}, workspace, 0, 72);
  };
  CHECK(relative_error(run(fast, *turning), run(block.part(), *turning)) < kRounding);
  CHECK(relative_error(run(fast, *none), run(block.part(), *none)) < kRounding);
  CHECK(relative_error(run(fast, *none), run(block.part(), *turning)) > 0.1);
}
