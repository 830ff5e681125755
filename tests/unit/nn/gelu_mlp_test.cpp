#include "nn/gelu_mlp.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/kernels.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::Rows;
using nn_test::Weight;

namespace {

double activated(Activation activation, double x) {
  if (activation == Activation::relu) return std::max(x, 0.0);
  if (activation == Activation::gelu) return x * 0.5 * std::erfc(-x / std::numbers::sqrt2);
  return x * 0.5 * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

}  // namespace

TEST_CASE("gelu mlp: every activation against double, on every number of threads", "[threads]") {
  Random random(51);
  const Weight up = random_weight(random, DType::bf16, 301, 23);
  const Weight down = random_weight(random, DType::bf16, 23, 301, 0.2F);
  const std::vector<float> up_bias = random.values(301);
  const std::vector<float> down_bias = random.values(23);
  for (const Activation activation : {Activation::gelu, Activation::gelu_tanh, Activation::relu}) {
    const GeluMlp mlp(Linear(up.view, up_bias), activation, Linear(down.view, down_bias));
    for (const std::size_t rows : {1U, 3U, 4U, 17U}) {
      const Rows x(random, rows, 23);
      std::vector<double> expected;
      for (std::size_t row = 0; row < rows; ++row) {
        std::vector<double> wide = affine(up, x.row(row), up_bias);
        for (double& value : wide) value = activated(activation, value);
        const std::vector<double> out = affine(down, wide, down_bias);
        expected.insert(expected.end(), out.begin(), out.end());
      }
      std::vector<float> first;
      for (const int threads : {1, 3}) {
        CAPTURE(static_cast<int>(activation), rows, threads);
        Workspace workspace(threads, best_kernels());
        Rows out(rows, 23, 2);
        mlp.forward(x.matrix(), workspace, out.matrix());
        CHECK(nn_test::largest_difference(out.packed(), expected) < 5e-5);
        CHECK(out.margin_untouched());
        if (threads == 1) first = out.packed();
        CHECK(out.packed() == first);
      }
    }
  }
}

TEST_CASE("gelu mlp: the names of activations") {
  CHECK(activation_named("gelu") == Activation::gelu);
  CHECK(activation_named("gelu_new") == Activation::gelu_tanh);
  CHECK(activation_named("gelu_pytorch_tanh") == Activation::gelu_tanh);
  CHECK(activation_named("relu") == Activation::relu);
  CHECK_FALSE(activation_named("gelu_fast"));
  CHECK_FALSE(activation_named(""));
}
