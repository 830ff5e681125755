#include "nn/rms_norm.h"

#include <algorithm>
#include <cmath>

namespace mla {

void RmsNorm::forward(ConstMatrix x, Matrix y, Workspace& workspace) const {
  const Kernels& kernels = workspace.kernels;
  const std::size_t n = weight_.size();
  for (std::size_t row = 0; row < x.rows; ++row) {
    if (n == 0) {
      std::copy_n(x.row(row), x.cols, y.row(row));
      continue;
    }
    const float mean = kernels.sum_of_squares(x.row(row), n) / static_cast<float>(n);
    kernels.scale_multiply(x.row(row), 1.0F / std::sqrt(mean + epsilon_), weight_.data(), y.row(row), n);
  }
}

}  // namespace mla
