#include "lab/random_model.h"

#include <cmath>
#include <utility>

#include "lab/normal.h"
#include "nn/mla_attention.h"

namespace mla::lab {
namespace {

constexpr std::size_t kHidden = 64;
constexpr std::size_t kIntermediate = 128;
constexpr double kEmbeddingDeviation = 0.02;
constexpr float kEpsilon = 1e-6F;

MlaShape shape_of(bool decoupled) {
  MlaShape shape{.num_heads = 4,
                 .kv_lora_rank = 32,
                 .qk_nope_head_dim = 16,
                 .qk_rope_head_dim = decoupled ? std::size_t{8} : std::size_t{0},
                 .v_head_dim = 16};
  shape.softmax_scale = 1.0F / std::sqrt(static_cast<float>(shape.qk_head_dim()));
  return shape;
}

double kept_size(std::size_t in) {
  return 1.0 / std::sqrt(static_cast<double>(in));
}

Norm unit_norm(std::size_t size) {
  return Norm(std::vector<float>(size, 1.0F), kEpsilon);
}

}  // namespace

RandomModel::RandomModel(const RandomModelOptions& options) : seed_(options.seed) {
  const MlaShape shape = shape_of(options.decoupled);
  const auto linear = [&](std::uint64_t stream, std::size_t out, std::size_t in) {
    return Linear(draw(stream, out, in, kept_size(in)));
  };
  MlaWeights attention;
  attention.q_proj = linear(1, shape.num_heads * shape.qk_head_dim(), kHidden);
  attention.kv_a_proj_with_mqa = linear(2, shape.kv_lora_rank + shape.qk_rope_head_dim, kHidden);
  // The latent's norm belongs to MLA, but it would undo what leaving the other out is to show.
  if (options.normalized) attention.kv_a_layernorm = unit_norm(shape.kv_lora_rank);
  attention.kv_b_proj =
      linear(3, shape.num_heads * (shape.qk_nope_head_dim + shape.v_head_dim), shape.kv_lora_rank);
  attention.o_proj = linear(4, kHidden, shape.num_heads * shape.v_head_dim);

  DecoderLayer layer;
  if (options.normalized) layer.input_layernorm = unit_norm(kHidden);
  layer.attention = std::make_unique<MlaAttention>(shape, std::move(attention));
  layer.post_attention_layernorm = unit_norm(kHidden);
  layer.feed_forward =
      std::make_unique<Mlp>(SwiGlu{linear(5, kIntermediate, kHidden), linear(6, kIntermediate, kHidden),
                                   linear(7, kHidden, kIntermediate)});
  decoder_.embed_tokens = draw(0, options.vocab_size, kHidden, kEmbeddingDeviation);
  if (options.scaled) decoder_.embedding_scale = std::sqrt(static_cast<float>(kHidden));
  decoder_.encoding = {.source = "random",
                       .hidden_size = kHidden,
                       .num_heads = shape.num_heads,
                       .rotary_dim = shape.rotary_dim(),
                       .decoupled = shape.decoupled(),
                       .rope = {},
                       .pairing = RopePairing::interleaved,
                       .table = std::nullopt};
  decoder_.position = encoding_named("none").make(decoder_.encoding);
  decoder_.layers.push_back(std::move(layer));
  decoder_.norm = unit_norm(kHidden);
  decoder_.lm_head = Linear(decoder_.embed_tokens);
}

WeightView RandomModel::draw(std::uint64_t stream, std::size_t rows, std::size_t cols, double deviation) {
  constexpr std::uint64_t kStreams = 16;
  weights_.push_back(
      std::make_unique<std::vector<float>>(normal_values(seed_ * kStreams + stream, rows * cols, deviation)));
  return {{DType::f32, Shape{rows, cols}, reinterpret_cast<const std::byte*>(weights_.back()->data())},
          std::nullopt};
}

}  // namespace mla::lab
