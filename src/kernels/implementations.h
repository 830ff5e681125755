// What the per-instruction-set files hand to the table.
#pragma once

#include <array>

#include "kernels/kernels.h"

namespace mla {

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

/// All 256 E4M3 values, for instruction sets that widen FP8 by table.
extern const std::array<float, 256> kE4m3Values;

}  // namespace mla
