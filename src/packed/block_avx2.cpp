// Panels of quantized types with AVX2.
#if defined(__x86_64__)
#include "packed/block_multiply.h"
#include "packed/block_vectors_256.h"

namespace mla {

constinit const BlockKernels kAvx2Blocks = make_block_kernels<Avx2Vectors>();

}  // namespace mla
#endif
