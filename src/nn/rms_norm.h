// Root-mean-square normalization (Zhang and Sennrich 2019): y = x / sqrt(mean(x^2) + eps) * w.
#pragma once

#include <utility>
#include <vector>

#include "nn/workspace.h"
#include "tensor/matrix.h"

namespace mla {

class RmsNorm {
 public:
  /// Without weights nothing is normalized: y becomes x.
  RmsNorm() = default;
  RmsNorm(std::vector<float> weight, float epsilon) : weight_(std::move(weight)), epsilon_(epsilon) {}

  /// Row by row; x and y are [rows, weight size] and may be the same.
  void forward(ConstMatrix x, Matrix y, Workspace& workspace) const;

 private:
  std::vector<float> weight_;
  float epsilon_ = 0.0F;
};

}  // namespace mla
