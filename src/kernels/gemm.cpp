#include "kernels/gemm.h"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string_view>

namespace mla {
namespace {

/// Whether OpenBLAS runs code for a processor older than AVX2.
bool openblas_is_behind() {
  constexpr std::array<std::string_view, 11> kWithoutAvx2 = {
      "Prescott", "Core2",   "Penryn",       "Dunnington", "Nehalem", "Sandybridge",
      "Athlon",   "Opteron", "Opteron_SSE3", "Barcelona",  "Atom"};
  const std::string_view core = openblas_get_corename();
  return std::find(kWithoutAvx2.begin(), kWithoutAvx2.end(), core) != kWithoutAvx2.end();
}

void gemm(ConstMatrix a, ConstMatrix b, bool transposed, Matrix c, const Kernels& kernels, bool accumulate) {
  static std::once_flag set_up;
  static bool behind = false;
  std::call_once(set_up, [] {
    openblas_set_num_threads(1);
    behind = openblas_is_behind();
  });
  if (c.rows == 0 || c.cols == 0) return;
  if (kernels.by_panels || (behind && std::string_view(kernels.name) != "scalar"))
    return multiply_by_panels(a, b, transposed, c, kernels, accumulate);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans,
              static_cast<blasint>(c.rows), static_cast<blasint>(c.cols), static_cast<blasint>(a.cols), 1.0F,
              a.data, static_cast<blasint>(a.stride), b.data, static_cast<blasint>(b.stride),
              accumulate ? 1.0F : 0.0F, c.data, static_cast<blasint>(c.stride));
}

/// b[first_k .. + k, first_col .. + cols] into rows of `width` floats, zero beyond cols.
void pack(ConstMatrix b, bool transposed, std::size_t first_k, std::size_t k, std::size_t first_col,
          std::size_t cols, std::size_t width, float* panel) {
  if (cols < width) std::fill_n(panel, k * width, 0.0F);
  if (transposed) {
    for (std::size_t j = 0; j < cols; ++j) {
      const float* source = b.row(first_col + j) + first_k;
      for (std::size_t i = 0; i < k; ++i) panel[i * width + j] = source[i];
    }
  } else {
    for (std::size_t i = 0; i < k; ++i) std::copy_n(b.row(first_k + i) + first_col, cols, panel + i * width);
  }
}

}  // namespace

void multiply_by_panels(ConstMatrix a, ConstMatrix b, bool transposed, Matrix c, const Kernels& kernels,
                        bool accumulate) {
  // A panel of this depth stays in the level-1 cache; and as each panel is summed apart, the rounding error grows with
  // kDepth + k / kDepth additions, not with k.
  constexpr std::size_t kDepth = 64;
  alignas(64) std::array<float, kDepth * kMostPanelCols> panel;
  if (!accumulate)
    for (std::size_t row = 0; row < c.rows; ++row) std::fill_n(c.row(row), c.cols, 0.0F);
  const std::size_t width = kernels.panel_cols;
  for (std::size_t first_k = 0; first_k < a.cols; first_k += kDepth) {
    const std::size_t k = std::min(kDepth, a.cols - first_k);
    for (std::size_t col = 0; col < c.cols; col += width) {
      const std::size_t cols = std::min(width, c.cols - col);
      pack(b, transposed, first_k, k, col, cols, width, panel.data());
      kernels.multiply_panel(a.data + first_k, a.stride, c.rows, panel.data(), k, c.data + col, c.stride,
                             cols);
    }
  }
}

void multiply_transposed(ConstMatrix a, ConstMatrix b, Matrix c, const Kernels& kernels, bool accumulate) {
  gemm(a, b, true, c, kernels, accumulate);
}

void multiply(ConstMatrix a, ConstMatrix b, Matrix c, const Kernels& kernels, bool accumulate) {
  gemm(a, b, false, c, kernels, accumulate);
}

}  // namespace mla
