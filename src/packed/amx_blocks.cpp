// Quantized panels on AMX's int8 tiles.
#if defined(__x86_64__)
#include "packed/amx_blocks_256.h"
#include "packed/amx_blocks_32.h"
#include "packed/amx_kernels.h"

namespace mla {
namespace {

template <DType kType>
void multiply_on_tiles(const PanelJob& job) {
  constexpr bool kWhole = PanelTraits<kType>::kBlocks256;
  const TokenTiles tokens(job.x.rows);
  TileConfig config;
  if constexpr (kWhole) {
    for (std::size_t i = 0; i < 6; ++i) config.set(i, tokens.rows, kTileRowBytes);
    for (std::size_t i = 6; i < 8; ++i) config.set(i, kTileRows, kTileRowBytes);
    const TileSession session(config);
    Multiplier256<kType>(job, tokens).run();
  } else {
    for (std::size_t i = 0; i < 2; ++i) {
      config.set(i, tokens.rows, kTileRowBytes);
      config.set(2 + i, tokens.rows, kGroupColumns);
      config.set(4 + i, kGroupColumns / 4, kTileRowBytes);
    }
    const TileSession session(config);
    Multiplier32<kType>(job, tokens).run();
  }
}

}  // namespace

void multiply_blocks_amx(DType dtype, const PanelJob& job) {
  switch (dtype) {
    case DType::q8_0:
      return multiply_on_tiles<DType::q8_0>(job);
    case DType::q4_0:
      return multiply_on_tiles<DType::q4_0>(job);
    case DType::q4_1:
      return multiply_on_tiles<DType::q4_1>(job);
    case DType::q5_0:
      return multiply_on_tiles<DType::q5_0>(job);
    case DType::q5_1:
      return multiply_on_tiles<DType::q5_1>(job);
    case DType::q2_k:
      return multiply_on_tiles<DType::q2_k>(job);
    case DType::q3_k:
      return multiply_on_tiles<DType::q3_k>(job);
    case DType::q4_k:
      return multiply_on_tiles<DType::q4_k>(job);
    case DType::q5_k:
      return multiply_on_tiles<DType::q5_k>(job);
    case DType::q6_k:
      return multiply_on_tiles<DType::q6_k>(job);
    case DType::iq4_nl:
      return multiply_on_tiles<DType::iq4_nl>(job);
    case DType::iq4_xs:
      return multiply_on_tiles<DType::iq4_xs>(job);
    default:
      return;
  }
}

std::size_t block_scratch_bytes_amx(std::size_t cols) {
  const std::size_t of_32 = Multiplier32<DType::q4_1>::scratch_bytes(cols);
  const std::size_t of_256 = Multiplier256<DType::q4_k>::scratch_bytes(cols);
  return of_32 > of_256 ? of_32 : of_256;
}

}  // namespace mla
#endif
