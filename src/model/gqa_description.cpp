#include "model/gqa_description.h"

#include <algorithm>

namespace mla {

std::string describe_gqa(const GqaShape& shape, std::span<const std::optional<std::size_t>> windows) {
  const std::string heads = std::to_string(shape.num_heads);
  const std::string shared = std::to_string(shape.num_key_value_heads);
  std::string text;
  if (shape.group() == 1)
    text = "MHA, " + heads + " heads";
  else if (shape.num_key_value_heads == 1)
    text = "MQA, " + heads + " query heads over 1 key-value head";
  else
    text = "GQA, " + heads + " query heads over " + shared + " key-value heads";
  const auto windowed =
      std::count_if(windows.begin(), windows.end(), [](const auto& window) { return window.has_value(); });
  if (windowed == 0) return text;
  const auto first =
      std::find_if(windows.begin(), windows.end(), [](const auto& window) { return window.has_value(); });
  return text + ", sliding window of " + std::to_string(**first) + " in " + std::to_string(windowed) +
         " of " + std::to_string(windows.size()) + " layers";
}

void describe_gqa_memory(const GqaShape& shape, std::span<const std::optional<std::size_t>> windows,
                         ModelInfo& info) {
  info.cache_kind = shape.group() == 1 ? "full" : "grouped";
  info.full_cache_bytes_per_token = windows.size() * 2 * shape.query_width() * sizeof(float);
  // The rows that a window leaves out of the scores stay in the cache.
  for (const std::optional<std::size_t>& window : windows) {
    GqaShape layer = shape;
    layer.window = window;
    const std::size_t context = info.max_context;
    const std::size_t bytes =
        gqa_scratch(layer, context, context) / std::max<std::size_t>(context, 1) * sizeof(float);
    info.scratch_bytes_per_token = std::max(info.scratch_bytes_per_token, bytes);
  }
}

}  // namespace mla
