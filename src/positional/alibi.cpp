// Attention with linear biases (Press et al. 2022, "Train Short, Test Long", section 3): a key's score falls with
// its distance, by a slope of each head's own: 2^(-8/n), 2^(-16/n), ..., 2^-8 for n heads. The bias is
// added to the scaled scores and is not scaled itself. For a number of heads that is no power of two the authors'
// code takes the slopes of the next smaller power, and every other slope of twice that power for the rest.
// In a bidirectional pass the distance counts in both directions.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "positional/registry.h"

namespace mla {
namespace {

std::vector<float> slopes_of(std::size_t heads) {
  const std::size_t whole = std::bit_floor(heads);
  const auto slope = [](std::size_t index, std::size_t count) {
    return static_cast<float>(std::exp2(-8.0 * static_cast<double>(index + 1) / static_cast<double>(count)));
  };
  std::vector<float> slopes;
  for (std::size_t i = 0; i < whole; ++i) slopes.push_back(slope(i, whole));
  for (std::size_t i = 0; slopes.size() < heads; i += 2) slopes.push_back(slope(i, 2 * whole));
  return slopes;
}

/// scores[i] -= slope * |query - key_of(i)|.
template <typename KeyOf>
void subtract_distances(float slope, std::size_t query, std::span<float> scores, KeyOf key_of) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::size_t key = key_of(i);
    scores[i] -= slope * static_cast<float>(query > key ? query - key : key - query);
  }
}

/// The same of the keys from `first_key` on. Narrow numbers become floats many at a time, and the same ones.
void subtract_distances(float slope, std::size_t query, std::size_t first_key, std::span<float> scores) {
  constexpr std::size_t kNarrow = std::numeric_limits<std::int32_t>::max();
  if (query < kNarrow && first_key + scores.size() < kNarrow) {
    const auto ahead = static_cast<std::int32_t>(query) - static_cast<std::int32_t>(first_key);
    const auto count = static_cast<std::int32_t>(scores.size());
    float* const to = scores.data();
    for (std::int32_t i = 0; i < count; ++i) to[i] -= slope * static_cast<float>(std::abs(ahead - i));
    return;
  }
  subtract_distances(slope, query, scores, [&](std::size_t i) { return first_key + i; });
}

class Alibi final : public PositionalEncoding {
 public:
  explicit Alibi(std::size_t heads) : slopes_(slopes_of(heads)) {}

  std::string describe() const override {
    return "alibi, slopes of " + std::to_string(slopes_.size()) + " heads";
  }
  EncodingStage stage() const override { return EncodingStage::scores; }

  /// What head `i` adds at distance `position`; 0 beyond the last head.
  std::vector<float> values(std::size_t position, std::size_t dims) const override {
    std::vector<float> result(dims, 0.0F);
    for (std::size_t head = 0; head < std::min(dims, slopes_.size()); ++head)
      result[head] = -slopes_[head] * static_cast<float>(position);
    return result;
  }

  void add_score_bias(const ScorePlace& place, Matrix scores) const override {
    const float slope = slopes_[place.head];
    for (std::size_t row = 0; row < scores.rows; ++row) {
      const std::size_t query = place.first_query + row;
      if (place.chosen.empty())
        subtract_distances(slope, query, place.first_key, scores.row_span(row));
      else
        subtract_distances(slope, query, scores.row_span(row),
                           [&](std::size_t i) { return place.first_key + place.chosen[i]; });
    }
  }

 private:
  std::vector<float> slopes_;
};

}  // namespace

extern const EncodingEntry kAlibiEncoding = {
    "alibi", "score - slope_h |m - n|", "Press et al. 2022, section 3",
    [](const EncodingSettings& settings) -> std::unique_ptr<PositionalEncoding> {
      return std::make_unique<Alibi>(settings.num_heads);
    }};

}  // namespace mla
