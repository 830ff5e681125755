#include "nn/kv_cache.h"

#include <algorithm>

namespace mla {

KvCache::KvCache(std::vector<CacheWidths> layers, std::size_t limit) : limit_(limit) {
  layers_.reserve(layers.size());
  for (const CacheWidths& widths : layers) layers_.push_back({widths, {}, {}, {}});
}

void KvCache::reserve(std::size_t tokens) {
  constexpr std::size_t kLeast = 64;
  if (tokens <= reserved_) return;
  const std::size_t rows = std::min(std::max({tokens, 2 * reserved_, kLeast}), std::max(limit_, tokens));
  for (Layer& layer : layers_) {
    layer.first.resize(rows * layer.widths.first);
    layer.second.resize(rows * layer.widths.second);
    layer.third.resize(rows * layer.widths.third);
  }
  reserved_ = rows;  // Last: if memory runs out above, the old number still holds.
}

Matrix KvCache::first(std::size_t layer, std::size_t tokens) {
  const std::size_t width = layers_[layer].widths.first;
  return {layers_[layer].first.data(), tokens, width, width};
}

Matrix KvCache::second(std::size_t layer, std::size_t tokens) {
  const std::size_t width = layers_[layer].widths.second;
  return {layers_[layer].second.data(), tokens, width, width};
}

Matrix KvCache::third(std::size_t layer, std::size_t tokens) {
  const std::size_t width = layers_[layer].widths.third;
  return {layers_[layer].third.data(), tokens, width, width};
}

std::size_t KvCache::bytes_per_token() const {
  std::size_t values = 0;
  for (const Layer& layer : layers_) values += layer.widths.first + layer.widths.second + layer.widths.third;
  return values * sizeof(float);
}

}  // namespace mla
