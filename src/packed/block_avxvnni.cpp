// Panels of quantized types with AVX2 and AVX-VNNI: four products of bytes a lane in one instruction.
#if defined(__x86_64__)
#include "packed/block_multiply.h"
#include "packed/block_vectors_256.h"

namespace mla {
namespace {

struct AvxVnniVectors : Avx2Vectors {
  static constexpr std::size_t most_tokens = 6;
  static constexpr bool has_dot = true;

  static Int dot8(Int acc, Int codes, Int values) { return _mm256_dpbusd_avx_epi32(acc, codes, values); }
  static Int dot16(Int acc, Int a, Int b) { return _mm256_dpwssd_avx_epi32(acc, a, b); }
};

}  // namespace

constinit const BlockKernels kAvxVnniBlocks = make_block_kernels<AvxVnniVectors>();

}  // namespace mla
#endif
