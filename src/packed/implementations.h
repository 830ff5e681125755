// What the per-instruction-set files hand to the table.
#pragma once

#include "packed/packed_kernels.h"

namespace mla {

extern const PackedKernels kScalarPacked;
#if defined(__x86_64__)
extern const PackedKernels kAvx2Packed;
extern const PackedKernels kAvxVnniPacked;
extern const PackedKernels kAvx512Packed;
extern const PackedKernels kAvx512VnniPacked;
extern const PackedKernels kAvx512Bf16Packed;
extern const PackedKernels kAmxPacked;
#elif defined(__aarch64__)
extern const PackedKernels kNeonPacked;
extern const PackedKernels kNeonDotprodPacked;
extern const PackedKernels kNeonI8mmPacked;
#endif

}  // namespace mla
