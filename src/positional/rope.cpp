#include "positional/rope.h"

#include <cmath>

namespace mla {

Rope::Rope(const RopeScaling& scaling, std::size_t rope_dim, RopePairing pairing)
    : scaling_(scaling),
      rope_dim_(rope_dim),
      pairing_(pairing),
      attention_factor_(static_cast<float>(rope_attention_factor(scaling))),
      frequencies_(rope_inverse_frequencies(scaling, rope_dim, 0)) {}

std::string Rope::describe() const {
  std::string text = "rope, " + std::to_string(rope_dim_) + " dimensions, ";
  text += pairing_ == RopePairing::interleaved ? "pairs (2i, 2i+1)" : "pairs (i, i+d/2)";
  text += ", scaling " + std::string(name_of(scaling_.type));
  return text;
}

void Rope::prepare(PositionBatch& batch) const {
  const bool by_length = scaling_.type == RopeType::dynamic || scaling_.type == RopeType::longrope;
  const std::vector<float> frequencies =
      by_length ? rope_inverse_frequencies(scaling_, rope_dim_, batch.sequence_length) : frequencies_;
  const std::size_t pairs = frequencies.size();
  batch.cosines.resize(batch.count * pairs);
  batch.sines.resize(batch.count * pairs);
  for (std::size_t row = 0; row < batch.count; ++row) {
    const float position = static_cast<float>(batch.first + row);
    for (std::size_t i = 0; i < pairs; ++i) {
      const float angle = position * frequencies[i];  // Rounded to float32 here, as the reference does.
      batch.cosines[row * pairs + i] = std::cos(angle) * attention_factor_;
      batch.sines[row * pairs + i] = std::sin(angle) * attention_factor_;
    }
  }
}

void Rope::rotate(const PositionBatch& batch, Matrix x, std::size_t head_dim, std::size_t offset) const {
  const std::size_t pairs = rope_dim_ / 2;
  const std::size_t step = pairing_ == RopePairing::interleaved ? 2 : 1;
  const std::size_t partner = pairing_ == RopePairing::interleaved ? 1 : pairs;
  for (std::size_t row = 0; row < x.rows; ++row) {
    const float* cosines = batch.cosines.data() + row * pairs;
    const float* sines = batch.sines.data() + row * pairs;
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

}  // namespace mla
