// The fast engine's products by panels and its activations, for every instruction set.
#include <benchmark/benchmark.h>

#include <array>
#include <set>
#include <vector>

#include "base/page_memory.h"
#include "bench/bench_data.h"
#include "packed/packed_kernels.h"
#include "packed/packed_matrix.h"

namespace {

using bench_data::kCols;
using bench_data::kRows;

mla::PackedMatrix packed(mla::DType dtype, mla::PageMemory& memory) {
  const nn_test::Weight weight = bench_data::weight(dtype);
  const std::size_t scale_cols = weight.view.scale ? weight.view.scale->cols_per_block : 0;
  mla::PackedMatrix matrix(dtype, kRows, kCols, memory, scale_cols);
  for (std::size_t panel = 0; panel < matrix.panels(); ++panel) {
    std::vector<const std::byte*> rows;
    for (std::size_t row = 0; row < matrix.panel_rows(panel); ++row)
      rows.push_back(weight.view.data.row(matrix.panel_first(panel) + row));
    matrix.pack(panel, rows, weight.view.block_factors(matrix.panel_first(panel), rows.size()));
  }
  return matrix;
}

/// `tokens` rows of activations in a form.
mla::ActivationView activations(mla::ActivationForm form, std::size_t tokens,
                                const mla::PackedKernels& kernels, mla::PageMemory& memory) {
  const std::vector<float> x = bench_data::activations(tokens * kCols);
  const mla::ActivationView view =
      mla::activations_in(memory.take(mla::activation_bytes(form, tokens, kCols)), form, tokens, kCols);
  for (std::size_t row = 0; row < tokens; ++row) kernels.quantize(&x[row * kCols], view, row);
  return view;
}

void multiply(benchmark::State& state, const mla::PackedKernels& kernels, mla::DType dtype,
              std::size_t tokens) {
  mla::PageMemory memory;
  const mla::PackedMatrix matrix = packed(dtype, memory);
  const mla::ActivationView x = activations(kernels.form(matrix.dtype()), tokens, kernels, memory);
  std::vector<float> y(tokens * kRows);
  std::byte* const scratch = memory.take(kernels.scratch_bytes(kCols));
  for (auto _ : state) {
    matrix.multiply(x, 0, kRows, {y.data(), tokens, kRows, kRows}, scratch, kernels);
    benchmark::ClobberMemory();
  }
  bench_data::count(state, static_cast<double>(tokens) * kRows * kCols, static_cast<double>(matrix.bytes()));
}

void quantize(benchmark::State& state, const mla::PackedKernels& kernels, mla::ActivationForm form) {
  mla::PageMemory memory;
  const mla::ActivationView view = activations(form, 1, kernels, memory);
  const std::vector<float> x = bench_data::activations(kCols);
  for (auto _ : state) {
    kernels.quantize(x.data(), view, 0);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kCols));
}

void register_multiply(const mla::PackedKernels& kernels, const std::string& isa) {
  for (const mla::DTypeTraits& traits : mla::kDTypeTraits) {
    for (const std::size_t tokens : std::array<std::size_t, 4>{1, 12, 48, 512})
      benchmark::RegisterBenchmark(
          ("multiply/" + bench_data::type_name(traits.dtype) + "/" + isa + "/" + std::to_string(tokens))
              .c_str(),
          [&kernels, dtype = traits.dtype, tokens](benchmark::State& state) {
            multiply(state, kernels, dtype, tokens);
          });
  }
}

[[maybe_unused]] const bool kRegistered = [] {
  constexpr std::array kForms = {std::pair(mla::ActivationForm::bf16, "bf16"),
                                 std::pair(mla::ActivationForm::q8_32, "q8_32"),
                                 std::pair(mla::ActivationForm::q8_256, "q8_256")};
  for (const mla::Isa isa : mla::available_isas()) {
    const mla::PackedKernels& kernels = mla::packed_kernels(isa);
    register_multiply(kernels, mla::name_of(isa));
    for (const auto& [form, name] : kForms)
      benchmark::RegisterBenchmark(
          (std::string("quantize/") + name + "/" + mla::name_of(isa)).c_str(),
          [&kernels, form = form](benchmark::State& state) { quantize(state, kernels, form); });
  }
  return true;
}();

}  // namespace
