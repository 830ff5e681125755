// Outliers with NEON.
#if defined(__aarch64__)
#include "packed/block_vectors_neon.h"
#include "packed/outlier_columns.h"

namespace mla {

constinit const OutlierKernels kNeonOutliers = make_outlier_kernels<NeonVectors>();

}  // namespace mla
#endif
