#include "nn/gelu_mlp.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

namespace mla {
namespace {

float gelu(float x) {
  constexpr float kRootHalf = std::numbers::sqrt2_v<float> / 2.0F;
  return 0.5F * x * (1.0F + std::erf(x * kRootHalf));
}

float gelu_tanh(float x) {
  constexpr float kRootTwoOverPi = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;
  return 0.5F * x * (1.0F + std::tanh(kRootTwoOverPi * (x + 0.044715F * x * x * x)));
}

void activate(Activation activation, std::span<float> values) {
  const auto apply = [&](auto function) {
    std::transform(values.begin(), values.end(), values.begin(), function);
  };
  switch (activation) {
    case Activation::gelu:
      return apply(gelu);
    case Activation::gelu_tanh:
      return apply(gelu_tanh);
    case Activation::relu:
      return apply([](float x) { return x < 0.0F ? 0.0F : x; });  // Keeps what is not a number.
  }
}

}  // namespace

std::optional<Activation> activation_named(std::string_view name) {
  struct Entry {
    std::string_view name;
    Activation activation;
  };
  constexpr std::array kKnown = {Entry{"gelu", Activation::gelu}, Entry{"gelu_new", Activation::gelu_tanh},
                                 Entry{"gelu_pytorch_tanh", Activation::gelu_tanh},
                                 Entry{"relu", Activation::relu}};
  for (const Entry& entry : kKnown)
    if (entry.name == name) return entry.activation;
  return std::nullopt;
}

void GeluMlp::forward(ConstMatrix x, Workspace& workspace, Matrix out) const {
  const Arena::Scope scope(workspace.arena);
  LinearInput input = x;
  add_form(input, up_, workspace);
  const Matrix wide = workspace.arena.matrix(x.rows, up_.out_features());
  const std::span<const LinearPart> parts = list_tiles(
      1, [&](std::size_t) -> const Linear& { return up_; }, [&](std::size_t) { return x.rows; }, workspace);
  for_items(workspace, parts.size(), x.rows * x.cols * wide.cols, [&](std::size_t item, int worker) {
    const auto [job, first, count] = parts[item];
    up_.compute(input, first, count, wide, workspace, worker);
    for (std::size_t row = 0; row < x.rows; ++row)
      activate(activation_, wide.row_span(row).subspan(first, count));
  });
  down_.forward(wide, out, workspace);
}

void GeluMlp::visit_linears(const LinearVisitor& visit) {
  visit(up_, LinearRole::plain);
  visit(down_, LinearRole::plain);
}

}  // namespace mla
