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
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::make_fast;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::relative_error;
using nn_test::Rows;
using nn_test::run_in_pieces;
using nn_test::Weight;

namespace {

constexpr std::size_t kHidden = 40;

struct Setting {
  DType dtype = DType::f32;
  bool split = false;
  std::size_t heads = 3;
  std::size_t rank = 256;
  std::size_t nope = 32;
  std::size_t rope = 12;
  std::size_t value = 24;
};

/// A block whose output projection is the identity: what it returns are the heads' results.
struct Block {
  Setting setting;
  MlaShape shape;
  Weight q, kv_a, keys, values, o;
  std::vector<float> kv_norm;

  Block(Random& random, const Setting& chosen)
      : setting(chosen),
        q(random_weight(random, DType::f32, chosen.heads * (chosen.nope + chosen.rope), kHidden, 0.4F)),
        kv_a(random_weight(random, DType::f32, chosen.rank + chosen.rope, kHidden, 0.4F)),
        kv_norm(random.values(chosen.rank)) {
    const std::size_t heads = chosen.heads;
    if (chosen.split) {
      keys = random_weight(random, chosen.dtype, heads * chosen.rank, chosen.nope);
      values = random_weight(random, chosen.dtype, heads * chosen.value, chosen.rank);
    } else {
      keys = random_weight(random, chosen.dtype, heads * (chosen.nope + chosen.value), chosen.rank);
    }
    const std::size_t width = heads * chosen.value;
    std::vector<float> identity(width * width, 0.0F);
    for (std::size_t i = 0; i < width; ++i) identity[i * width + i] = 1.0F;
    o = nn_test::make_weight(random, DType::f32, width, width, identity);
    // Scores of about one: latents and queries have a root mean square of a half and of one.
    double squares = 0.0;
    for (const double weight : keys.exact)
      squares += weight * weight / static_cast<double>(keys.exact.size());
    shape = {.num_heads = heads,
             .kv_lora_rank = chosen.rank,
             .qk_nope_head_dim = chosen.nope,
             .qk_rope_head_dim = chosen.rope,
             .v_head_dim = chosen.value,
             .softmax_scale = static_cast<float>(
                 1.5 / std::sqrt(squares * static_cast<double>(chosen.rank * chosen.nope)))};
  }

  MlaAttention part() const {
    MlaWeights weights;
    weights.q_proj = Linear(q.view);
    weights.kv_a_proj_with_mqa = Linear(kv_a.view);
    weights.kv_a_layernorm = Norm(kv_norm, 1e-6F);
    if (setting.split)
      weights.split_kv_b = SplitKvUp{keys.view, values.view};
    else
      weights.kv_b_proj = Linear(keys.view);
    weights.o_proj = Linear(o.view);
    return MlaAttention(shape, std::move(weights));
  }

  Rows input(Random& random, std::size_t tokens) const {
    Rows x(random, tokens, kHidden);
    return x;
  }

  Rope position() const { return {{}, setting.rope, RopePairing::interleaved}; }

  std::vector<float> run(const MlaAttention& attention, const Rows& x, const std::vector<std::size_t>& pieces,
                         AttentionPath path, Workspace& workspace, std::size_t offset = 0) const {
    return run_in_pieces(attention, position(), x, pieces, {.path = path}, workspace, offset,
                         setting.heads * setting.value);
  }
};

constexpr AttentionPath kForms[] = {AttentionPath::absorbed, AttentionPath::decompressed};

// Rounded to bf16 are latents, queries (absorbed or not), keys, probabilities and values: each by a uniform share of
// half a unit of 8 bits, a root mean square of 2^-8 / sqrt(3) and less. Those of scores of about one come into results
// about as much as those of values: six of them, added as independent ones, and twice that for luck.
constexpr double kRounding = 2.0 * 0x1p-8 * 1.4142;
// With blocks of 8 bits, in activations or as requantized weights, an error is a share of the block's largest value,
// three times the root mean square: 3 / 254 / sqrt(3), for both factors of keys and of values and once more.
constexpr double kQuantizing = 2.0 * 0.0068 * 2.24;

double tolerance(DType dtype) {
  return is_quantized(dtype) ? kRounding + kQuantizing : kRounding;
}

void check_close(const Block& block, Random& random, Workspace& workspace,
                 std::optional<DType> quantize = std::nullopt) {
  const Rows x = block.input(random, 70);
  Workspace exact_workspace(1, best_kernels());
  const std::vector<float> exact =
      block.run(block.part(), x, {70}, AttentionPath::decompressed, exact_workspace);
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, block.position(), memory, quantize);
  for (const AttentionPath path : kForms) {
    CAPTURE(path);
    const std::vector<float> found = block.run(fast, x, {70}, path, workspace);
    CHECK(relative_error(found, exact) < tolerance(quantize.value_or(block.setting.dtype)));
    CHECK(relative_error(found, exact) > 1e-4);
  }
}

}  // namespace

TEST_CASE("fast mla: near the exact one in both forms, on every instruction set") {
  Random random(60);
  for (const bool split : {false, true})
    for (const std::size_t nope : {32U, 40U}) {
      const Block block(random, {.dtype = DType::bf16, .split = split, .nope = nope});
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
      check_close(Block(random, {.dtype = dtype, .split = split, .nope = nope}), random, workspace);
      if (is_quantized(dtype) && !split)
        check_close(Block(random, {.dtype = dtype, .nope = 24}), random, workspace);
    }
}

TEST_CASE("fast mla: float weights that are to be quantized") {
  Random random(62);
  Workspace workspace(1, best_kernels());
  for (const bool split : {false, true})
    check_close(Block(random, {.dtype = DType::f16, .split = split}), random, workspace, DType::q8_0);
}

TEST_CASE("fast mla: sizes that fill no panel, and no rotary part") {
  Random random(63);
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    Workspace workspace(1, kernels_for(isa), packed_kernels(isa));
    check_close(Block(random, {.heads = 5, .rank = 21, .nope = 10, .rope = 6, .value = 7}), random,
                workspace);
    check_close(Block(random, {.heads = 17, .rank = 40, .nope = 3, .rope = 2, .value = 1}), random,
                workspace);
  }
  const Block block(random, {.rank = 33, .rope = 0});
  const auto position = encoding_named("none").make({});
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, *position, memory);
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
    const Block block(random, {.dtype = dtype, .rank = 64});
    PageMemory memory;
    MlaAttention fast = block.part();
    make_fast(fast, block.position(), memory);
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
  const Block block(random, {.rank = 64});
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, block.position(), memory);
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
  const Block block(random, {.rank = 64});
  PageMemory memory;
  MlaAttention fast = block.part();
  make_fast(fast, block.position(), memory);
  const Rows x = block.input(random, 80);
  const std::vector<float> exact =
      block.run(block.part(), x, {80}, AttentionPath::automatic, workspace, 1000);
  for (const AttentionPath path : kForms)
    CHECK(relative_error(block.run(fast, x, {70, 10}, path, workspace, 1000), exact) < kRounding);
}

TEST_CASE("fast mla: the cache is one stream of bf16") {
  Random random(67);
  const Block block(random, {.rank = 33, .rope = 6});
  MlaAttention attention = block.part();
  const Rope position({}, 6, RopePairing::interleaved);
  PageMemory memory;
  CHECK(attention.cache_widths().first == 33);
  make_fast(attention, position, memory);
  const CacheWidths widths = attention.cache_widths();
  CHECK(widths.element == CacheElement::bf16);
  CHECK(widths.first == 64 + 32);
  CHECK(widths.second == 0);
  CHECK(KvCache({widths}, 1).bytes_per_token() == 2 * 96);
}

TEST_CASE("fast mla: what it does not do stays exact, and what it is not made for is refused") {
  Random random(68);
  Workspace workspace(1, best_kernels());
  const Block block(random, {.rank = 33, .rope = 0});
  const Rows x = block.input(random, 9);
  EncodingSettings settings;
  settings.num_heads = 3;
  settings.rotary_dim = 32;
  PageMemory memory;
  for (const char* name : {"alibi", "rope"}) {  // Without a rotary part, rope turns whole keys.
    CAPTURE(name);
    const auto position = encoding_named(name).make(settings);
    MlaAttention attention = block.part();
    CHECK(attention.use_fast({.position = *position, .memory = memory}) == 0);
    CHECK(attention.cache_widths().element == CacheElement::f32);
    CHECK((run_in_pieces(attention, *position, x, {9}, {}, workspace, 0, 72) ==
           run_in_pieces(block.part(), *position, x, {9}, {}, workspace, 0, 72)));
  }
  const auto none = encoding_named("none").make(settings);
  const auto alibi = encoding_named("alibi").make(settings);
  MlaAttention fast = block.part();
  make_fast(fast, *none, memory);
  ForwardObserver observer;
  const auto refused = [&](const PositionalEncoding& position, const PassOptions& options) {
    const Error error = thrown_by([&] { run_in_pieces(fast, position, x, {9}, options, workspace, 0, 72); });
    CHECK(error.code() == ErrorCode::unsupported);
  };
  refused(*none, {.observer = &observer});
  refused(*none, {.mask = AttentionMask::bidirectional});
  refused(*alibi, {});
}
