// MLA for Precision::fast against the exact one.
#include "nn/fast_mla.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
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
using nn_test::random_weight;
using nn_test::relative_error;
using nn_test::Rows;
using nn_test::run_in_pieces;
using nn_test::Weight;

namespace {

void check_close(const MlaBlock& block, Random& random, Workspace& workspace,
                 std::optional<DType> quantize = std::nullopt) {
  const Rows x = block.input(random, 70);
  Workspace exact_workspace(1, best_kernels());
  const std::vector<float> exact =
      block.run(block.part(), x, {70}, AttentionPath::decompressed, exact_workspace);
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, memory, quantize);
  for (const AttentionPath path : kForms) {
    CAPTURE(path);
    const std::vector<float> found = block.run(fast, x, {70}, path, workspace);
    CHECK(relative_error(found, exact) < nn_test::mla_tolerance(quantize.value_or(block.setting.dtype)));
    CHECK(relative_error(found, exact) > 1e-4);
  }
}

}  // namespace

TEST_CASE("fast mla: near the exact one in both forms, on every instruction set") {
  Random random(60);
  for (const bool split : {false, true})
    for (const std::size_t nope : {32U, 40U}) {
      const MlaBlock block(random, {.dtype = DType::bf16, .split = split, .nope = nope});
      for (const Isa isa : available_isas()) {
        CAPTURE(name_of(isa), split, nope);
        Workspace workspace(1, kernels_for(isa), packed_kernels(isa));
        check_close(block, random, workspace);
      }
    }
}

TEST_CASE("fast mla: weights of every type, joined and apart") {
  Random random(61);
  Workspace workspace(2, best_kernels());
  std::vector<DType> types(nn_test::kAllTypes.begin(), nn_test::kAllTypes.end());
  for (const DType dtype : nn_test::quantized_types()) types.push_back(dtype);
  for (const DType dtype : types)
    for (const bool split : {false, true}) {
      CAPTURE(dtype_name(dtype), split);
      // Transposed, W_UK has rows of as many values: whole blocks.
      const std::size_t nope = std::max<std::size_t>(32, dtype_traits(dtype).block_elements);
      check_close(MlaBlock(random, {.dtype = dtype, .split = split, .nope = nope}), random, workspace);
      if (is_quantized(dtype) && !split)
        check_close(MlaBlock(random, {.dtype = dtype, .nope = 24}), random, workspace);
    }
}

TEST_CASE("fast mla: float weights that are to be quantized") {
  Random random(62);
  Workspace workspace(1, best_kernels());
  for (const bool split : {false, true})
    check_close(MlaBlock(random, {.dtype = DType::f16, .split = split}), random, workspace, DType::q8_0);
}

TEST_CASE("fast mla: sizes that fill no panel, and no rotary part") {
  Random random(63);
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    Workspace workspace(1, kernels_for(isa), packed_kernels(isa));
    check_close(MlaBlock(random, {.heads = 5, .rank = 21, .nope = 10, .rope = 6, .value = 7}), random,
                workspace);
    check_close(MlaBlock(random, {.heads = 17, .rank = 40, .nope = 3, .rope = 2, .value = 1}), random,
                workspace);
  }
  const MlaBlock block(random, {.rank = 33, .rope = 0});
  const auto position = encoding_named("none").make({});
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, memory);
  Workspace workspace(1, best_kernels());
  const Rows x = block.input(random, 30);
  const std::vector<float> exact = run_in_pieces(block.part(), *position, x, {30}, {}, workspace, 0, 72);
  for (const AttentionPath path : kForms)
    CHECK(relative_error(run_in_pieces(fast, *position, x, {30}, {.path = path}, workspace, 0, 72), exact) <
          kRounding);
}

TEST_CASE("fast mla: the same bits however a text is cut and on any number of threads", "[threads]") {
  Random random(64);
  for (const DType dtype : {DType::bf16, DType::q4_0}) {
    const MlaBlock block(random, {.dtype = dtype, .rank = 64});
    PageMemory memory;
    MlaAttention fast = block.part();
    make_fast(fast, memory);
    const Rows x = block.input(random, 2100);  // Beyond a span of latents.
    for (const Isa isa : available_isas()) {
      if (isa == Isa::scalar) continue;  // The others run the same code but for the kernels, and faster.
      Workspace one(1, kernels_for(isa), packed_kernels(isa));
      for (const AttentionPath path : kForms) {
        CAPTURE(name_of(isa), path, dtype_name(dtype));
        const std::vector<float> expected = block.run(fast, x, {600}, path, one);
        for (const int threads : {1, 2, 5}) {
          Workspace workspace(threads, kernels_for(isa), packed_kernels(isa));
          for (const std::vector<std::size_t>& pieces :
               std::vector<std::vector<std::size_t>>{{600}, {255, 1, 1, 256, 87}, {1, 300, 2, 297}}) {
            CAPTURE(threads, pieces);
            CHECK((block.run(fast, x, pieces, path, workspace) == expected));
          }
        }
      }
    }
    for (const AttentionPath path : kForms) {
      CAPTURE(path);
      Workspace one(1, best_kernels());
      Workspace three(3, best_kernels());
      CHECK((block.run(fast, x, {2100}, path, one) == block.run(fast, x, {2040, 7, 1, 52}, path, three)));
    }
  }
}

TEST_CASE("fast mla: the form is chosen by the whole call") {
  Random random(65);
  Workspace workspace(1, best_kernels());
  const MlaBlock block(random, {.rank = 64});
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, memory);
  const Rows x = block.input(random, 200);
  const std::vector<float> absorbed = block.run(fast, x, {200}, AttentionPath::absorbed, workspace);
  const std::vector<float> decompressed = block.run(fast, x, {200}, AttentionPath::decompressed, workspace);
  CHECK((absorbed != decompressed));
  REQUIRE(fast.cheaper_path(200, 200) == AttentionPath::decompressed);
  for (const std::vector<std::size_t>& pieces :
       std::vector<std::vector<std::size_t>>{{200}, {199, 1}, std::vector<std::size_t>(200, 1)})
    CHECK((block.run(fast, x, pieces, AttentionPath::automatic, workspace) == decompressed));
  CHECK((block.run(fast, x, {1}, AttentionPath::automatic, workspace) ==
         block.run(fast, x, {1}, AttentionPath::absorbed, workspace)));
}

TEST_CASE("fast mla: a text that is shifted as a whole") {
  Random random(66);
  Workspace workspace(1, best_kernels());
  const MlaBlock block(random, {.rank = 64});
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, memory);
  const Rows x = block.input(random, 80);
  const std::vector<float> exact =
      block.run(block.part(), x, {80}, AttentionPath::automatic, workspace, 1000);
  for (const AttentionPath path : kForms)
    CHECK(relative_error(block.run(fast, x, {70, 10}, path, workspace, 1000), exact) < kRounding);
}

TEST_CASE("fast mla: the cache is one stream of bf16") {
  Random random(67);
  const MlaBlock block(random, {.rank = 33, .rope = 6});
  MlaAttention attention = block.part();
  PageMemory memory;
  CHECK(attention.cache_widths().first == 33);
  make_fast(attention, memory);
  const CacheWidths widths = attention.cache_widths();
  CHECK(widths.element == CacheElement::bf16);
  CHECK(widths.first == 64 + 32);
  CHECK(widths.second == 0);
  CHECK(KvCache({widths}, 1).bytes_per_token() == 2 * 96);
}

TEST_CASE("fast mla: what it is not made for is refused") {
  Random random(68);
  Workspace workspace(1, best_kernels());
  const MlaBlock block(random, {.rank = 33, .rope = 0});
  const Rows x = block.input(random, 9);
  EncodingSettings settings;
  settings.rotary_dim = 32;
  const auto none = encoding_named("none").make(settings);
  const auto rope = encoding_named("rope").make(settings);
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, memory);
  ForwardObserver observer;
  const auto refused = [&](const PositionalEncoding& position, const PassOptions& options) {
    const Error error = thrown_by([&] { run_in_pieces(fast, position, x, {9}, options, workspace, 0, 72); });
    CHECK(error.code() == ErrorCode::unsupported);
  };
  refused(*none, {.observer = &observer});
  refused(*none, {.mask = AttentionMask::bidirectional});
  refused(*rope, {.path = AttentionPath::absorbed});  // Without a rotary part, rope turns whole keys.
}
