// The tensors of a GGUF file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "formats/gguf.h"
#include "formats/gguf_reader.h"
#include "tensor/dtype.h"

namespace mla {

/// The `count` tensor infos at which the reader stands; their data lies in `file`, behind them and from the next
/// multiple of `alignment` on. No two tensors share a byte; that two have one name is not noticed.
std::vector<GgufTensor> read_gguf_tensors(GgufReader& in, std::size_t count, std::size_t alignment,
                                          std::span<const std::byte> file);

/// The number that says the type in a file; nothing for a type that is not ggml's.
std::optional<std::uint32_t> gguf_type_number(DType dtype);

}  // namespace mla
