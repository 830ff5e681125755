#include "nn/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "tensor/dtype.h"

namespace mla {
namespace {

/// Bytes that a token has in a stream of `width` values.
std::size_t row_bytes(CacheElement element, std::size_t heads, std::size_t width) {
  if (element == CacheElement::f32) return width * sizeof(float);
  return heads * activation_bytes(ActivationForm::bf16, 1, width);
}

}  // namespace

KvCache::KvCache(std::vector<CacheWidths> layers, std::size_t limit) : limit_(limit) {
  layers_.reserve(layers.size());
  for (const CacheWidths& widths : layers) {
    Layer& layer = layers_.emplace_back(Layer{widths.element, widths.heads, {}});
    const std::array all = {widths.first, widths.second, widths.third};
    for (std::size_t i = 0; i < all.size(); ++i) {
      Stream& stream = layer.streams[i];
      const CacheElement element = i == 2 ? CacheElement::f32 : widths.element;
      stream = {.element = element,
                .width = all[i],
                .row_bytes = row_bytes(element, widths.heads, all[i]),
                .block_offset = block_bytes_};
      if (element == CacheElement::bf16) block_bytes_ += kKeyBlock * stream.row_bytes;
    }
  }
}

void KvCache::reserve(std::size_t tokens) {
  constexpr std::size_t kLeast = 64;
  if (tokens <= reserved_) return;
  const std::size_t rows = std::min(std::max({tokens, 2 * reserved_, kLeast}), std::max(limit_, tokens));
  const auto bytes = checked_multiply((rows + kKeyBlock - 1) / kKeyBlock, block_bytes_);
  if (!bytes) throw std::bad_alloc();
  blocks_.grow(*bytes);
  for (Layer& layer : layers_)
    for (Stream& stream : layer.streams)
      if (stream.element == CacheElement::f32) stream.grow(rows);
  reserved_ = rows;  // Last: if memory runs out above, the old number still holds.
}

void KvCache::Stream::grow(std::size_t wanted) {
  if (wanted <= rows || row_bytes == 0) return;
  const auto bytes = checked_multiply(wanted, row_bytes);
  if (!bytes) throw std::bad_alloc();
  AlignedMemory larger(*bytes);
  if (rows > 0) std::memcpy(larger.get(), memory.get(), rows * row_bytes);
  memory = std::move(larger);
  rows = wanted;
}

LayerCache KvCache::layer(std::size_t layer, std::size_t tokens) const {
  if (layers_[layer].element == CacheElement::f32)
    return {.first = first(layer, tokens), .second = second(layer, tokens), .third = third(layer, tokens)};
  return {.first = {},
          .second = {},
          .third = third(layer, tokens),
          .first_bf16 = bf16(layer, 0, tokens),
          .second_bf16 = bf16(layer, 1, tokens)};
}

Matrix KvCache::matrix(std::size_t layer, std::size_t stream, std::size_t tokens) const {
  const Stream& of = layers_[layer].streams[stream];
  return {reinterpret_cast<float*>(of.memory.get()), tokens, of.width, of.width};
}

Bf16Stream KvCache::bf16(std::size_t layer, std::size_t stream, std::size_t tokens) const {
  const Layer& of = layers_[layer];
  const Stream& rows = of.streams[stream];
  return {.data = blocks_.get() + rows.block_offset,
          .tokens = tokens,
          .heads = of.heads,
          .cols = rows.width,
          .stride = rows.row_bytes / of.heads,
          .block_stride = block_bytes_};
}

std::size_t KvCache::bytes_per_token() const {
  std::size_t bytes = 0;
  for (const Layer& layer : layers_)
    for (const Stream& stream : layer.streams) bytes += stream.row_bytes;
  return bytes;
}

}  // namespace mla
