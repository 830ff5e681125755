// Weights and activations of a size for the kernels' benchmarks.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/isa.h"
#include "tensor/dtype.h"
#include "unit/nn/nn_test_data.h"

namespace bench_data {

/// About what an expert of DeepSeek-V2-Lite has (1408 x 2048); with 4 bits a weight it fits into a second-level cache.
inline constexpr std::size_t kRows = 1408;
inline constexpr std::size_t kCols = 2048;

inline std::string type_name(mla::DType dtype) {
  return std::string(mla::dtype_name(dtype));
}

inline nn_test::Weight weight(mla::DType dtype, std::size_t rows = kRows, std::size_t cols = kCols) {
  nn_test::Random random(1);
  return nn_test::random_weight(random, dtype, rows, cols);
}

inline std::vector<float> activations(std::size_t count) {
  nn_test::Random random(2);
  return random.values(count);
}

/// What an iteration does, as rates: a multiply-add is two operations.
inline void count(benchmark::State& state, double multiply_adds, double bytes) {
  const auto rate = [&](double amount) {
    return benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["op/s"] = rate(2.0 * multiply_adds);
  state.counters["B/s"] = rate(bytes);
}

}  // namespace bench_data
