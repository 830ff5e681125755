// Putting a decoder's matrices into panels (Precision::fast).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "base/page_memory.h"
#include "formats/checkpoint.h"
#include "model/decoder.h"

namespace mla {

struct PackingOptions {
  std::optional<DType> quantize;  ///< What float matrices become; see packed_type.
  int threads = 0;                ///< 0: the physical cores this process may use.
  std::function<void(std::size_t done, std::size_t total)> progress;  ///< Bytes of the file; may be empty.
};

/// Has attention cache bf16; returns by layer what is to be packed for that (Attention::pack_fast).
std::vector<std::size_t> use_fast_attention(Decoder& decoder, std::optional<DType> quantize,
                                            PageMemory& memory);

/// Repacks every matrix that can be and has attention cache bf16, on all threads, and gives back the pages of the checkpoint's files as it goes, so
/// that the weights are in memory once.
void pack(Decoder& decoder, const Checkpoint& checkpoint, const PackingOptions& options, PageMemory& memory);

}  // namespace mla
