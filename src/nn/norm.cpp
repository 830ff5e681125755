#include "nn/norm.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mla {

Norm Norm::layer(std::vector<float> weight, std::vector<float> bias, float epsilon) {
  Norm norm(std::move(weight), epsilon);
  norm.bias_ = std::move(bias);
  return norm;
}

void Norm::forward(ConstMatrix x, Matrix y, Workspace& workspace) const {
  const Kernels& kernels = workspace.kernels;
  const std::size_t n = weight_.size();
  for (std::size_t row = 0; row < x.rows; ++row) {
    if (n == 0) {
      std::copy_n(x.row(row), x.cols, y.row(row));
      continue;
    }
    const float* values = x.row(row);
    float* result = y.row(row);
    if (!bias_.empty()) {
      const double mean = std::accumulate(values, values + n, 0.0) / static_cast<double>(n);
      std::transform(values, values + n, result,
                     [mean](float value) { return value - static_cast<float>(mean); });
      values = result;
    }
    const float mean_square = kernels.sum_of_squares(values, n) / static_cast<float>(n);
    kernels.scale_multiply(values, 1.0F / std::sqrt(mean_square + epsilon_), weight_.data(), result, n);
    for (std::size_t i = 0; i < bias_.size(); ++i) result[i] += bias_[i];
  }
}

}  // namespace mla
