// Matrix times matrix in float32, by OpenBLAS.
#pragma once

#include "tensor/matrix.h"

namespace mla {

/// c = a * b^T (+ c if `accumulate`). a [m, k], b [n, k], c [m, n].
/// Runs on the calling thread alone: mla shares out the work itself, in tiles whose size does not depend on
/// the number of threads, so that results do not either. OpenBLAS' own threading is switched off for the
/// process at the first call.
void multiply_transposed(ConstMatrix a, ConstMatrix b, Matrix c, bool accumulate = false);

/// c = a * b (+ c if `accumulate`). a [m, k], b [k, n], c [m, n].
void multiply(ConstMatrix a, ConstMatrix b, Matrix c, bool accumulate = false);

}  // namespace mla
