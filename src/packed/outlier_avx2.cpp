// Outliers with AVX2.
#if defined(__x86_64__)
#include "packed/block_vectors_256.h"
#include "packed/outlier_columns.h"

namespace mla {

constinit const OutlierKernels kAvx2Outliers = make_outlier_kernels<Avx2Vectors>();

}  // namespace mla
#endif
