// What a forward pass works with: threads, kernels and memory. One for each session.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/aligned_memory.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "nn/arena.h"
#include "packed/attention_kernels.h"
#include "packed/packed_kernels.h"
#include "positional/encoding.h"

namespace mla {

class Workspace {
 public:
  Workspace(int threads, const Kernels& chosen,
            const PackedKernels& chosen_packed = packed_kernels(chosen_isa()))
      : pool(threads),
        kernels(chosen),
        packed(chosen_packed),
        attention(attention_kernels(chosen_packed.isa)),
        scratch_(static_cast<std::size_t>(threads)),
        packed_scratch_(static_cast<std::size_t>(threads)) {}

  ThreadPool pool;
  const Kernels& kernels;
  const PackedKernels& packed;
  const AttentionKernels& attention;
  Arena arena;
  PositionBatch key_positions;  ///< For keys that are rotated whole; kept for its memory.

  /// Memory of one worker's own, valid until it asks again. Contents are not initialized. Aligned to a cache line.
  std::span<float> scratch(int worker, std::size_t count) {
    return {reinterpret_cast<float*>(scratch_[static_cast<std::size_t>(worker)].take(count * sizeof(float))),
            count};
  }

  /// The same, apart, for what multiplies panels of `cols` columns.
  std::byte* packed_scratch(int worker, std::size_t cols) {
    return packed_scratch_[static_cast<std::size_t>(worker)].take(packed.scratch_bytes(cols));
  }

 private:
  struct Buffer {
    AlignedMemory memory;
    std::size_t size = 0;

    std::byte* take(std::size_t bytes) {
      if (size < bytes) {
        // In few steps, though the context grows token by token.
        const std::size_t grown = std::max(bytes, size + size / 2);
        memory = AlignedMemory(grown);
        size = grown;
      }
      return memory.get();
    }
  };

  std::vector<Buffer> scratch_;
  std::vector<Buffer> packed_scratch_;
};

}  // namespace mla
