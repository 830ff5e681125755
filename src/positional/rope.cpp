#include "positional/rope.h"

#include <algorithm>
#include <cmath>

#include "mla/error.h"
#include "positional/registry.h"

namespace mla {

Rope::Rope(const RopeScaling& scaling, std::size_t rope_dim, RopePairing pairing)
    : scaling_(scaling),
      rope_dim_(rope_dim),
      pairing_(pairing),
      attention_factor_(static_cast<float>(rope_attention_factor(scaling))),
      frequencies_(rope_inverse_frequencies(scaling, rope_dim, 0)) {
  if (scaling.type == RopeType::longrope)
    long_frequencies_ =
        rope_inverse_frequencies(scaling, rope_dim, scaling.original_max_position_embeddings + 1);
}

std::string Rope::describe() const {
  std::string text = "rope, " + std::to_string(rope_dim_) + " dimensions, ";
  text += pairing_ == RopePairing::interleaved ? "pairs (2i, 2i+1)" : "pairs (i, i+d/2)";
  text += ", scaling " + std::string(name_of(scaling_.type));
  if (scaling_.query_scaling_beta != 0.0) text += ", queries scaled by position";
  return text;
}

void Rope::prepare(PositionBatch& batch) const {
  const std::size_t length = batch.offset + batch.sequence_length;
  std::vector<float> of_length;
  std::span<const float> frequencies = frequencies_;
  if (scaling_.type == RopeType::longrope && length > scaling_.original_max_position_embeddings)
    frequencies = long_frequencies_;
  if (scaling_.type == RopeType::dynamic && length > scaling_.max_position_embeddings)
    frequencies = of_length = rope_inverse_frequencies(scaling_, rope_dim_, length);
  const std::size_t pairs = frequencies.size();
  batch.cosines.resize(batch.count * pairs);
  batch.sines.resize(batch.count * pairs);
  for (std::size_t row = 0; row < batch.count; ++row) {
    const float position = static_cast<float>(batch.position(row));
    for (std::size_t i = 0; i < pairs; ++i) {
      const float angle = position * frequencies[i];  // Rounded to float32 here, as the reference does.
      batch.cosines[row * pairs + i] = std::cos(angle) * attention_factor_;
      batch.sines[row * pairs + i] = std::sin(angle) * attention_factor_;
    }
  }
  if (scaling_.query_scaling_beta == 0.0) return;
  batch.query_scales.resize(batch.count);
  for (std::size_t row = 0; row < batch.count; ++row)
    batch.query_scales[row] = rope_query_scale(scaling_, batch.position(row));
}

std::vector<float> Rope::values(std::size_t position, std::size_t dims) const {
  PositionBatch batch{.first = position, .count = 1, .sequence_length = position + 1};
  prepare(batch);
  std::vector<float> result(dims, 0.0F);
  for (std::size_t i = 0; i < std::min(dims, rope_dim_); ++i)
    result[i] = (i % 2 == 0 ? batch.cosines : batch.sines)[i / 2];
  return result;
}

void Rope::rotate_from(std::size_t first, const PositionBatch& batch, Matrix x, std::size_t head_dim,
                       std::size_t offset) const {
  turn(pairing_, first, batch, x, head_dim, offset);
}

void Rope::rotate_halves(const PositionBatch& batch, Matrix x, std::size_t head_dim,
                         std::size_t offset) const {
  turn(RopePairing::halves, 0, batch, x, head_dim, offset);
}

void Rope::turn(RopePairing pairing, std::size_t first, const PositionBatch& batch, Matrix x,
                std::size_t head_dim, std::size_t offset) const {
  const std::size_t pairs = rope_dim_ / 2;
  const std::size_t step = pairing == RopePairing::interleaved ? 2 : 1;
  const std::size_t partner = pairing == RopePairing::interleaved ? 1 : pairs;
  for (std::size_t row = 0; row < x.rows; ++row) {
    const float* cosines = batch.cosines.data() + (first + row) * pairs;
    const float* sines = batch.sines.data() + (first + row) * pairs;
    for (std::size_t head = 0; head < x.cols; head += head_dim) {
      float* values = x.row(row) + head + offset;
      for (std::size_t i = 0; i < pairs; ++i) {
        float& a = values[i * step];
        float& b = values[i * step + partner];
        const float rotated = a * cosines[i] - b * sines[i];
        b = b * cosines[i] + a * sines[i];
        a = rotated;
      }
    }
  }
}

namespace {

std::unique_ptr<PositionalEncoding> make_rope(const EncodingSettings& settings) {
  if (settings.rotary_dim < 2 || settings.rotary_dim % 2 != 0)
    throw Error(ErrorCode::unsupported, settings.source, "position encoding",
                "found rope for heads with " + std::to_string(settings.rotary_dim) +
                    " values to rotate, expected an even number of at least 2");
  return std::make_unique<Rope>(settings.rope, settings.rotary_dim, settings.pairing);
}

std::unique_ptr<PositionalEncoding> make_decoupled_rope(const EncodingSettings& settings) {
  if (!settings.decoupled)
    throw Error(ErrorCode::unsupported, settings.source, "position encoding",
                "found \"rope-decoupled\" for a model whose heads have no rotary part of their own "
                "(qk_rope_head_dim is 0), expected rope or another encoding");
  return make_rope(settings);
}

}  // namespace

extern const EncodingEntry kRopeEncoding = {"rope", "R(p theta_i) q, R(p theta_i) k",
                                            "Su et al. 2021, section 3.2", make_rope};
extern const EncodingEntry kDecoupledRopeEncoding = {"rope-decoupled", "[q; R q_rope], [k; R k_rope]",
                                                     "DeepSeek-V2 2024, section 2.1.3", make_decoupled_rope};

}  // namespace mla
