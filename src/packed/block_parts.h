// One quantized block of a file taken apart: its codes, one a byte, and its scales.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/decode_block.h"
#include "tensor/dtype.h"

namespace mla {

struct BlockParts {
  std::uint8_t codes[kMostBlockElements];  ///< In the order of the columns, as packed/panel.h defines them.
  std::uint16_t d;                         ///< f16
  std::uint16_t m;                         ///< f16: m or dmin, of types that have one.
  std::int8_t scales[16];                  ///< By group, of types with integer scales.
  std::uint8_t mins[16];                   ///< By group, of types with integer mins.
};

/// The block of a quantized type at any address.
void take_apart(DType dtype, const std::byte* block, BlockParts& parts);

}  // namespace mla
