#include "nn/score_bias.h"

#include <algorithm>

namespace mla {
namespace {

// Far below all scores, and far enough from the end of float32 that sums and differences are numbers.
constexpr float kHidden = -1e30F;

/// Hides all of the cache's rows `first` + i but those `chosen`, which rise.
void hide_others(std::span<const std::uint32_t> chosen, std::size_t first, std::span<float> values) {
  auto next = std::lower_bound(chosen.begin(), chosen.end(), first);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (next != chosen.end() && *next == first + i)
      ++next;
    else
      values[i] = kHidden;
  }
}

}  // namespace

void ScoreBias::fill(std::size_t head, std::size_t token, std::size_t first,
                     std::span<const std::uint32_t> chosen, std::span<float> values) const {
  std::fill(values.begin(), values.end(), 0.0F);
  if (encoding != nullptr)
    encoding->add_score_bias({.head = head,
                              .first_query = first_query + token,
                              .first_key = chosen.empty() ? first_key + first : first_key,
                              .chosen = chosen},
                             {values.data(), 1, values.size(), values.size()});
  if (selection == nullptr) return;
  const std::span<const std::uint32_t> attended = selection->row(token);
  if (!attended.empty()) hide_others(attended, first, values);
}

ScoreBias score_bias(const AttentionCall& call) {
  const bool adds = call.position.stage() == EncodingStage::scores;
  return {.encoding = adds ? &call.position : nullptr,
          .first_query = call.batch.position(0),
          .first_key = call.batch.offset};
}

}  // namespace mla
