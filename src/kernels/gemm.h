// Matrix times matrix in float32.
//
// OpenBLAS' sgemm does it, unless OpenBLAS did not recognize the processor and would run code for one without
// AVX2 where mla has kernels for AVX2 or better: then mla's own kernel is several times faster. (`by_panels` asks for
// it in any case.) Either way
// the work is done by the calling thread alone: mla shares it out itself, in tiles whose size does not depend
// on the number of threads, so that results do not either. OpenBLAS' own threading is switched off for the
// process at the first call.
#pragma once

#include "kernels/kernels.h"
#include "tensor/matrix.h"

namespace mla {

/// c = a * b^T (+ c if `accumulate`). a [m, k], b [n, k], c [m, n].
void multiply_transposed(ConstMatrix a, ConstMatrix b, Matrix c, const Kernels& kernels,
                         bool accumulate = false);

/// c = a * b (+ c if `accumulate`). a [m, k], b [k, n], c [m, n].
void multiply(ConstMatrix a, ConstMatrix b, Matrix c, const Kernels& kernels, bool accumulate = false);

/// The same by mla's own kernel; b is [n, k] if `transposed`, else [k, n].
void multiply_by_panels(ConstMatrix a, ConstMatrix b, bool transposed, Matrix c, const Kernels& kernels,
                        bool accumulate);

}  // namespace mla
