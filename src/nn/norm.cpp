#include "nn/norm.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/sharing.h"

namespace mla {

Norm Norm::layer(std::vector<float> weight, std::vector<float> bias, float epsilon) {
  Norm norm(std::move(weight), epsilon);
  norm.bias_ = std::move(bias);
  return norm;
}

void Norm::forward(ConstMatrix x, Matrix y, Workspace& workspace) const {
  for_rows(workspace, x.rows, 2 * x.cols, [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row)
      normalize(x.row_span(row), y.row(row), workspace.kernels);
  });
}

void Norm::normalize(std::span<const float> x, float* y, const Kernels& kernels) const {
  if (empty()) {
    std::copy(x.begin(), x.end(), y);
    return;
  }
  const std::size_t n = weight_.size();
  const float* values = x.data();
  if (!bias_.empty()) {
    const double mean = std::accumulate(values, values + n, 0.0) / static_cast<double>(n);
    std::transform(values, values + n, y, [mean](float value) { return value - static_cast<float>(mean); });
    values = y;
  }
  const float mean_square = kernels.sum_of_squares(values, n) / static_cast<float>(n);
  kernels.scale_multiply(values, 1.0F / std::sqrt(mean_square + epsilon_), weight_.data(), y, n);
  for (std::size_t i = 0; i < bias_.size(); ++i) y[i] += bias_[i];
}

}  // namespace mla
