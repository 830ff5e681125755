// Grouped-query attention for Precision::fast against the exact one.
#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/gqa_attention.h"
#include "positional/registry.h"
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
  std::size_t heads = 6;
  std::size_t shared = 2;
  std::size_t head_dim = 20;
  std::optional<std::size_t> window = std::nullopt;
  const char* encoding = "rope";
};

/// A block whose output projection is the identity: what it returns are the heads' results.
struct Block {
  Setting setting;
  Weight q, k, v, o;

  Block(Random& random, const Setting& chosen)
      : setting(chosen),
        q(random_weight(random, DType::f32, chosen.heads * chosen.head_dim, kHidden, 0.4F)),
        k(random_weight(random, DType::f32, chosen.shared * chosen.head_dim, kHidden, 0.4F)),
        v(random_weight(random, DType::f32, chosen.shared * chosen.head_dim, kHidden, 0.4F)) {
    std::vector<float> identity(width() * width(), 0.0F);
    for (std::size_t i = 0; i < width(); ++i) identity[i * width() + i] = 1.0F;
    o = nn_test::make_weight(random, DType::f32, width(), width(), identity);
  }

  std::size_t width() const { return setting.heads * setting.head_dim; }

  GqaAttention part() const {
    return GqaAttention({.num_heads = setting.heads,
                         .num_key_value_heads = setting.shared,
                         .head_dim = setting.head_dim,
                         .softmax_scale = 0.3F,
                         .window = setting.window},
                        {Linear(q.view), Linear(k.view), Linear(v.view), Linear(o.view), {}, {}});
  }

  std::unique_ptr<PositionalEncoding> position() const {
    EncodingSettings settings;
    settings.num_heads = setting.heads;
    settings.rotary_dim = setting.head_dim;
    return encoding_named(setting.encoding).make(settings);
  }

  std::vector<float> run(const GqaAttention& attention, const Rows& x, const std::vector<std::size_t>& pieces,
                         Workspace& workspace, const PassOptions& options = {},
                         std::size_t offset = 0) const {
    return run_in_pieces(attention, *position(), x, pieces, options, workspace, offset, width());
  }
};

// Rounded to bf16 are queries, keys, probabilities and values: each by a root mean square of 2^-8 / sqrt(3) and less;
// those of scores of about one come into results about as much. Four of them, independent, and twice that for luck.
constexpr double kRounding = 2.0 * 0x1p-8 * 1.1548;

}  // namespace

TEST_CASE("fast gqa: near the exact one, on every instruction set, in groups and windows") {
  Random random(70);
  const Setting settings[] = {{},
                              {.heads = 2, .shared = 2},
                              {.heads = 8, .shared = 2, .window = 5},
                              {.heads = 8, .shared = 1, .head_dim = 64},
                              {.heads = 3, .shared = 1, .head_dim = 10, .window = 33, .encoding = "none"},
                              {.encoding = "alibi"},
                              {.heads = 8, .shared = 2, .window = 7, .encoding = "alibi"}};
  for (const Setting& setting : settings) {
    const Block block(random, setting);
    const Rows x(random, 90, kHidden);
    PageMemory memory;
    GqaAttention fast = block.part();
    make_fast(fast, memory);
    for (const Isa isa : available_isas()) {
      CAPTURE(name_of(isa), setting.heads, setting.shared, setting.head_dim);
      Workspace workspace(2, kernels_for(isa), packed_kernels(isa));
      for (const std::size_t offset : {0U, 100U}) {
        const std::vector<float> exact = block.run(block.part(), x, {90}, workspace, {}, offset);
        const std::vector<float> found = block.run(fast, x, {50, 1, 39}, workspace, {}, offset);
        CHECK(relative_error(found, exact) < kRounding);
        CHECK((found == block.run(fast, x, {90}, workspace, {}, offset)));
        CHECK(relative_error(found, exact) > 1e-4);
      }
    }
  }
}

TEST_CASE("fast gqa: the cache has each key-value head's rows of bf16") {
  Random random(71);
  const Block block(random, {.heads = 6, .shared = 3, .head_dim = 40});
  PageMemory memory;
  GqaAttention attention = block.part();
  CHECK(attention.cache_widths().element == CacheElement::f32);
  make_fast(attention, memory);
  const CacheWidths widths = attention.cache_widths();
  CHECK(widths.element == CacheElement::bf16);
  CHECK(widths.first == 40);
  CHECK(widths.second == 40);
  CHECK(widths.heads == 3);
  CHECK(KvCache({widths}, 1).bytes_per_token() == 2 * 3 * 64 * 2);
}

TEST_CASE("fast gqa: with a bias the same bits however a text is cut and on any number of threads",
          "[threads]") {
  Random random(73);
  const std::size_t tokens = 530;
  for (const std::optional<std::size_t> window : {std::optional<std::size_t>{}, {300}}) {
    const Block block(random, {.heads = 12, .shared = 2, .window = window, .encoding = "alibi"});
    PageMemory memory;
    GqaAttention fast = block.part();
    make_fast(fast, memory);
    const Rows x(random, tokens, kHidden);
    for (const Isa isa : available_isas()) {
      CAPTURE(name_of(isa), window.has_value());
      Workspace one(1, kernels_for(isa), packed_kernels(isa));
      const std::vector<float> whole = block.run(fast, x, {tokens}, one, {}, 1000);
      CHECK(relative_error(whole, block.run(block.part(), x, {tokens}, one, {}, 1000)) < kRounding);
      for (const int threads : {1, 3}) {
        Workspace workspace(threads, kernels_for(isa), packed_kernels(isa));
        for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{64}, tokens}) {
          CAPTURE(threads, size);
          // Scalar takes minutes; the others run the same code but for the kernels.
          if (size < 64 && (threads == 1 || isa == Isa::scalar)) continue;
          CHECK((block.run(fast, x, nn_test::pieces_of(tokens, size), workspace, {}, 1000) == whole));
        }
      }
    }
  }
}

TEST_CASE("fast gqa: an encoding other than the decoder's may add to scores") {
  Random random(74);
  Workspace workspace(1, best_kernels());
  const Rows x(random, 50, kHidden);
  const Block rotated(random, {});
  PageMemory memory;
  GqaAttention fast = rotated.part();
  make_fast(fast, memory);
  EncodingSettings settings;
  settings.num_heads = rotated.setting.heads;
  const auto alibi = encoding_named("alibi").make(settings);
  const auto run = [&](const GqaAttention& attention) {
    return run_in_pieces(attention, *alibi, x, {20, 30}, {}, workspace, 0, rotated.width());
  };
  CHECK(relative_error(run(fast), run(rotated.part())) < kRounding);
}

TEST_CASE("fast gqa: what it is not made for is refused") {
  Random random(72);
  Workspace workspace(1, best_kernels());
  const Rows x(random, 9, kHidden);
  PageMemory memory;
  const Block block(random, {});
  GqaAttention fast = block.part();
  make_fast(fast, memory);
  ForwardObserver observer;
  const auto refused = [&](const PassOptions& options) {
    const Error error = thrown_by([&] { block.run(fast, x, {9}, workspace, options); });
    CHECK(error.code() == ErrorCode::unsupported);
  };
  refused({.path = AttentionPath::absorbed});
  refused({.observer = &observer});
  refused({.mask = AttentionMask::bidirectional});
}
