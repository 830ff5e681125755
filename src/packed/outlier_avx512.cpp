// Outliers with AVX-512.
#if defined(__x86_64__)
#include "packed/block_vectors_512.h"
#include "packed/outlier_columns.h"

namespace mla {

constinit const OutlierKernels kAvx512Outliers = make_outlier_kernels<Avx512Vectors>();

}  // namespace mla
#endif
