// Panels of quantized types with AVX-512 and its VNNI: four products of bytes a lane in one instruction.
#if defined(__x86_64__)
#include "packed/block_multiply.h"
#include "packed/block_vectors_512.h"

namespace mla {
namespace {

struct Avx512VnniVectors : Avx512Vectors {
  static constexpr bool has_dot = true;

  static Int dot8(Int acc, Int codes, Int values) { return _mm512_dpbusd_epi32(acc, codes, values); }
  static Int dot16(Int acc, Int a, Int b) { return _mm512_dpwssd_epi32(acc, a, b); }
};

}  // namespace

constinit const BlockKernels kAvx512VnniBlocks = make_block_kernels<Avx512VnniVectors>();

}  // namespace mla
#endif
