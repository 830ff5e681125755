// Panels of quantized types with NEON as every 64-bit ARM processor has it.
#if defined(__aarch64__)
#include "packed/block_multiply.h"
#include "packed/block_vectors_neon.h"

namespace mla {

constinit const BlockKernels kNeonBlocks = make_block_kernels<NeonVectors>();

}  // namespace mla
#endif
