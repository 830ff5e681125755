// What the per-instruction-set files hand to the table.
#pragma once

#include "kernels/kernels.h"

namespace mla {

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

/// All 256 E4M3 values, for instruction sets that widen FP8 by table.
struct E4m3Table {
  float values[256];
};
extern const E4m3Table kE4m3Table;

}  // namespace mla
