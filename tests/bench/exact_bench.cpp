// The exact engine's dot products, one row of each type.
#include <benchmark/benchmark.h>

#include <memory>

#include "bench/bench_data.h"
#include "kernels/kernels.h"

namespace {

using bench_data::kCols;

void dot(benchmark::State& state, const mla::Kernels& kernels, mla::DType dtype) {
  constexpr std::size_t kFewRows = 64;
  const nn_test::Weight weight = bench_data::weight(dtype, kFewRows);
  const std::vector<float> x = bench_data::activations(kCols);
  const auto run = kernels.dot[static_cast<std::size_t>(dtype)];
  for (auto _ : state)
    for (std::size_t row = 0; row < kFewRows; ++row)
      benchmark::DoNotOptimize(run(weight.view.data.row(row), x.data(), kCols));
  bench_data::count(state, kFewRows * kCols, static_cast<double>(weight.view.data.bytes()));
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const mla::Kernels* kernels : mla::available_kernels())
    for (const mla::DTypeTraits& traits : mla::kDTypeTraits)
      benchmark::RegisterBenchmark(
          ("dot/" + bench_data::type_name(traits.dtype) + "/" + kernels->name).c_str(),
          [kernels, dtype = traits.dtype](benchmark::State& state) { dot(state, *kernels, dtype); });
  return true;
}();

}  // namespace
