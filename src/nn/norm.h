// Normalization of rows, each followed by a learned weight for each value.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "nn/workspace.h"
#include "tensor/matrix.h"

namespace mla {

class Norm {
 public:
  /// Without weights nothing is normalized: y becomes x.
  Norm() = default;
  /// RMSNorm (Zhang and Sennrich 2019): y = x / sqrt(mean(x^2) + eps) * w.
  Norm(std::vector<float> weight, float epsilon) : weight_(std::move(weight)), epsilon_(epsilon) {}
  /// LayerNorm (Ba et al. 2016): y = (x - mean(x)) / sqrt(variance(x) + eps) * w + b.
  static Norm layer(std::vector<float> weight, std::vector<float> bias, float epsilon);

  bool empty() const { return weight_.empty(); }

  /// Row by row; x and y are [rows, weight size] and may be the same.
  void forward(ConstMatrix x, Matrix y, Workspace& workspace) const;

 private:
  void normalize(std::span<const float> x, float* y, const Kernels& kernels) const;

  std::vector<float> weight_;
  std::vector<float> bias_;  ///< Of LayerNorm; otherwise empty.
  float epsilon_ = 0.0F;
};

}  // namespace mla
