// Panels of quantized types with AVX-512 (F, BW, DQ, VL).
#if defined(__x86_64__)
#include "packed/block_multiply.h"
#include "packed/block_vectors_512.h"

namespace mla {

constinit const BlockKernels kAvx512Blocks = make_block_kernels<Avx512Vectors>();

}  // namespace mla
#endif
