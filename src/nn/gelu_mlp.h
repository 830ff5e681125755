// The feed-forward block of GPT-2 and before: down(activation(up x)).
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "nn/feed_forward.h"

namespace mla {

/// What stands between the two matrices (transformers' activations.py).
enum class Activation {
  gelu,       ///< x Phi(x), by the error function (Hendrycks and Gimpel 2016).
  gelu_tanh,  ///< Their approximation by the hyperbolic tangent: `gelu_new`, `gelu_pytorch_tanh`.
  relu
};

/// "gelu", "gelu_new", "gelu_pytorch_tanh" or "relu".
std::optional<Activation> activation_named(std::string_view name);

class GeluMlp final : public FeedForward {
 public:
  GeluMlp(Linear up, Activation activation, Linear down)
      : up_(std::move(up)), activation_(activation), down_(std::move(down)) {}
  void forward(ConstMatrix x, Workspace& workspace, Matrix out) const override;
  void visit_linears(const LinearVisitor& visit) override;

 private:
  Linear up_;
  Activation activation_;
  Linear down_;
};

}  // namespace mla
