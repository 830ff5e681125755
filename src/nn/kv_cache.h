// What attention keeps of the tokens it has seen.
#pragma once

#include <cstddef>
#include <vector>

#include "tensor/matrix.h"

namespace mla {

/// Values kept for each token by one layer, in up to three streams. MLA: the normalized latent c_kv
/// (kv_lora_rank) and the rotated key that all heads share (qk_rope_head_dim), and with sparse attention the
/// indexer's key. Grouped-query attention: the rotated keys and the values of all key-value heads.
struct CacheWidths {
  std::size_t first = 0;
  std::size_t second = 0;
  std::size_t third = 0;
};

/// The cache of one session: for each layer three matrices of float32 with a row for each token.
class KvCache {
 public:
  /// At most `limit` tokens will ever be kept. Nothing is allocated yet.
  KvCache(std::vector<CacheWidths> layers, std::size_t limit);

  std::size_t limit() const { return limit_; }

  /// Makes room for `tokens` rows; what is there stays. Grows in doubling steps up to the limit.
  void reserve(std::size_t tokens);

  /// Rows [0, tokens) of a layer's streams, tokens within what was reserved.
  Matrix first(std::size_t layer, std::size_t tokens);
  Matrix second(std::size_t layer, std::size_t tokens);
  Matrix third(std::size_t layer, std::size_t tokens);

  /// Bytes kept for each token, over all layers.
  std::size_t bytes_per_token() const;

 private:
  struct Layer {
    CacheWidths widths;
    std::vector<float> first;
    std::vector<float> second;
    std::vector<float> third;
  };

  std::vector<Layer> layers_;
  std::size_t limit_;
  std::size_t reserved_ = 0;
};

}  // namespace mla
