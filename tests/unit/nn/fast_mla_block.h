// Random MLA blocks for the tests of fast attention.
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "nn/mla_attention.h"
#include "positional/rope.h"
#include "unit/nn/attention_run.h"
#include "unit/nn/nn_test_data.h"

namespace nn_test {

inline constexpr std::size_t kMlaHidden = 40;

struct MlaSetting {
  mla::DType dtype = mla::DType::f32;
  bool split = false;
  std::size_t heads = 3;
  std::size_t rank = 256;
  std::size_t nope = 32;
  std::size_t rope = 12;
  std::size_t value = 24;
};

/// A block whose output projection is the identity: what it returns are the heads' results.
struct MlaBlock {
  MlaSetting setting;
  mla::MlaShape shape;
  Weight q, kv_a, keys, values, o;
  std::vector<float> kv_norm;

  MlaBlock(Random& random, const MlaSetting& chosen)
      : setting(chosen),
        q(random_weight(random, mla::DType::f32, chosen.heads * (chosen.nope + chosen.rope), kMlaHidden,
                        0.4F)),
        kv_a(random_weight(random, mla::DType::f32, chosen.rank + chosen.rope, kMlaHidden, 0.4F)),
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
    o = nn_test::make_weight(random, mla::DType::f32, width, width, identity);
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

  mla::MlaAttention part() const {
    mla::MlaWeights weights;
    weights.q_proj = mla::Linear(q.view);
    weights.kv_a_proj_with_mqa = mla::Linear(kv_a.view);
    weights.kv_a_layernorm = mla::Norm(kv_norm, 1e-6F);
    if (setting.split)
      weights.split_kv_b = mla::SplitKvUp{keys.view, values.view};
    else
      weights.kv_b_proj = mla::Linear(keys.view);
    weights.o_proj = mla::Linear(o.view);
    return mla::MlaAttention(shape, std::move(weights));
  }

  Rows input(Random& random, std::size_t tokens) const {
    Rows x(random, tokens, kMlaHidden);
    return x;
  }

  mla::Rope position() const { return {{}, setting.rope, mla::RopePairing::interleaved}; }

  std::vector<float> run(const mla::MlaAttention& attention, const Rows& x,
                         const std::vector<std::size_t>& pieces, mla::AttentionPath path,
                         mla::Workspace& workspace, std::size_t offset = 0) const {
    return run_in_pieces(attention, position(), x, pieces, {.path = path}, workspace, offset,
                         setting.heads * setting.value);
  }
};

inline constexpr mla::AttentionPath kForms[] = {mla::AttentionPath::absorbed,
                                                mla::AttentionPath::decompressed};

// Rounded to bf16 are latents, queries (absorbed or not), keys, probabilities and values: each by a uniform share of
// half a unit of 8 bits, a root mean square of 2^-8 / sqrt(3) and less. Those of scores of about one come into results
// about as much as those of values: six of them, added as independent ones, and twice that for luck.
inline constexpr double kRounding = 2.0 * 0x1p-8 * 1.4142;
// With blocks of 8 bits, in activations or as requantized weights, an error is a share of the block's largest value,
// three times the root mean square: 3 / 254 / sqrt(3), for both factors of keys and of values and once more.
inline constexpr double kQuantizing = 2.0 * 0.0068 * 2.24;

inline double mla_tolerance(mla::DType dtype) {
  return is_quantized(dtype) ? kRounding + kQuantizing : kRounding;
}

}  // namespace nn_test
