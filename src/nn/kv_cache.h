// What attention keeps of the tokens it has seen.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/aligned_memory.h"
#include "base/growing_memory.h"
#include "packed/activations.h"
#include "tensor/matrix.h"

namespace mla {

enum class CacheElement { f32, bf16 };

/// Values kept for each token by one layer, in up to three streams. MLA: the normalized latent c_kv
/// (kv_lora_rank) and the rotated key that all heads share (qk_rope_head_dim), and with sparse attention the
/// indexer's key. Grouped-query attention: the rotated keys and the values of all key-value heads.
///
/// The third stream is always of float32: what an indexer chooses hangs on small differences.
struct CacheWidths {
  std::size_t first = 0;
  std::size_t second = 0;
  std::size_t third = 0;
  CacheElement element = CacheElement::f32;  ///< Of the first two.
  std::size_t heads = 1;  ///< bf16: parts of a token's row that lie apart, each with the widths above.
};

/// Keys that fast attention takes at once, at multiples of it.
inline constexpr std::size_t kKeyBlock = 256;

/// A stream of bf16, laid out so that what one key-value head reads of a block of kKeyBlock tokens is one stretch of
/// memory: by blocks, in a block by heads, for each head a row for each token. Between two blocks of a stream lie those of
/// all others, so that the cache grows at its end alone. Rows begin at multiples of 64 bytes and
/// end in zeros up to there, which is up to whoever writes them.
struct Bf16Stream {
  std::byte* data = nullptr;
  std::size_t tokens = 0;
  std::size_t heads = 0;
  std::size_t cols = 0;
  std::size_t stride = 0;        ///< Bytes from row to row.
  std::size_t block_stride = 0;  ///< Bytes from block to block.

  std::byte* row(std::size_t head, std::size_t token) const {
    return data + token / kKeyBlock * block_stride + (head * kKeyBlock + token % kKeyBlock) * stride;
  }
  /// The first `width` columns of the rows of tokens [first, first + count) of one block.
  ActivationView rows(std::size_t head, std::size_t first, std::size_t count, std::size_t width) const {
    return {.form = ActivationForm::bf16,
            .rows = count,
            .cols = width,
            .values = row(head, first),
            .stride = stride};
  }
};

/// One layer's streams of the cache, with the rows of a pass included (not yet written): the first two of float32 or of
/// bf16.
struct LayerCache {
  Matrix first;
  Matrix second;
  Matrix third = {};
  Bf16Stream first_bf16 = {};
  Bf16Stream second_bf16 = {};
};

/// The cache of one session: for each layer three streams with a row for each token.
class KvCache {
 public:
  /// At most `limit` tokens will ever be kept. Nothing is allocated yet.
  KvCache(std::vector<CacheWidths> layers, std::size_t limit);

  std::size_t limit() const { return limit_; }

  /// Makes room for `tokens` rows; what is there stays. Grows in doubling steps up to the limit. Throws
  /// std::bad_alloc, and then nothing has changed.
  void reserve(std::size_t tokens);

  /// Rows [0, tokens) of a layer's streams, tokens within what was reserved.
  LayerCache layer(std::size_t layer, std::size_t tokens) const;
  Matrix first(std::size_t layer, std::size_t tokens) const { return matrix(layer, 0, tokens); }
  Matrix second(std::size_t layer, std::size_t tokens) const { return matrix(layer, 1, tokens); }
  Matrix third(std::size_t layer, std::size_t tokens) const { return matrix(layer, 2, tokens); }

  /// Bytes kept for each token, over all layers.
  std::size_t bytes_per_token() const;

 private:
  struct Stream {
    CacheElement element = CacheElement::f32;
    std::size_t width = 0;
    std::size_t row_bytes = 0;     ///< Of a token, all heads together.
    std::size_t block_offset = 0;  ///< bf16: where it begins in a block of blocks_.
    AlignedMemory memory = {};     ///< f32.
    std::size_t rows = 0;

    void grow(std::size_t wanted);
  };
  struct Layer {
    CacheElement element;
    std::size_t heads;
    std::array<Stream, 3> streams;
  };

  Matrix matrix(std::size_t layer, std::size_t stream, std::size_t tokens) const;
  Bf16Stream bf16(std::size_t layer, std::size_t stream, std::size_t tokens) const;

  std::vector<Layer> layers_;
  GrowingMemory blocks_;         ///< All streams of bf16, kKeyBlock tokens of each after the other.
  std::size_t block_bytes_ = 0;  ///< Of kKeyBlock tokens.
  std::size_t limit_;
  std::size_t reserved_ = 0;
};

}  // namespace mla
