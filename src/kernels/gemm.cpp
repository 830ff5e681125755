#include "kernels/gemm.h"

#include <cblas.h>

#include <mutex>

namespace mla {
namespace {

void gemm(CBLAS_TRANSPOSE transpose_b, ConstMatrix a, ConstMatrix b, Matrix c, bool accumulate) {
  static std::once_flag single_threaded;
  std::call_once(single_threaded, [] { openblas_set_num_threads(1); });
  if (c.rows == 0 || c.cols == 0) return;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, transpose_b, static_cast<blasint>(c.rows),
              static_cast<blasint>(c.cols), static_cast<blasint>(a.cols), 1.0F, a.data,
              static_cast<blasint>(a.stride), b.data, static_cast<blasint>(b.stride),
              accumulate ? 1.0F : 0.0F, c.data, static_cast<blasint>(c.stride));
}

}  // namespace

void multiply_transposed(ConstMatrix a, ConstMatrix b, Matrix c, bool accumulate) {
  gemm(CblasTrans, a, b, c, accumulate);
}

void multiply(ConstMatrix a, ConstMatrix b, Matrix c, bool accumulate) {
  gemm(CblasNoTrans, a, b, c, accumulate);
}

}  // namespace mla
