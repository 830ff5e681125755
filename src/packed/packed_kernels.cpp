#include "packed/packed_kernels.h"

#include <algorithm>
#include <stdexcept>

#include "packed/implementations.h"

namespace mla {
namespace {

template <const BlockKernels& kBlocks, const OutlierKernels& kOutliers, const FloatKernels& kFloats>
std::size_t scratch_bytes(std::size_t cols) {
  return std::max({kBlocks.scratch_bytes(cols), kOutliers.scratch_bytes(cols), kFloats.scratch_bytes(cols)});
}

std::size_t no_ahead_steps(std::size_t, std::size_t, std::size_t) {
  return 0;
}

/// By pairs of tiles, as amx_floats.cpp takes them: of 16 tokens and 32 columns by one panel or two.
std::size_t amx_ahead_steps(std::size_t tokens, std::size_t rows, std::size_t cols) {
  return tokens <= kPanelRows ? 0 : tokens / (2 * kPanelRows) * ((rows + 31) / 32) * ((cols + 31) / 32);
}

template <const BlockKernels& kBlocks, const OutlierKernels& kOutliers, const FloatKernels& kFloats>
PackedKernels assembled(Isa isa) {
  PackedKernels kernels{};
  kernels.isa = isa;
  kernels.multiply = kBlocks.multiply;
  kernels.add_outliers = kOutliers.add;
  kernels.bf16_form = isa == Isa::amx ? ActivationForm::bf16_pair : ActivationForm::f32;
  const auto set = [&](DType dtype, void (*multiply)(const PanelJob&)) {
    kernels.multiply[static_cast<std::size_t>(dtype)] = multiply;
  };
  set(DType::f32, kFloats.multiply_f32);
  set(DType::f16, kFloats.multiply_f16);
  set(DType::bf16, kFloats.multiply_bf16);
  set(DType::f8_e4m3, kFloats.multiply_f8);
  kernels.ahead_steps = isa == Isa::amx ? amx_ahead_steps : no_ahead_steps;
  kernels.quantize = kFloats.quantize;
  kernels.to_bf16 = kFloats.to_bf16;
  kernels.from_bf16 = kFloats.from_bf16;
  kernels.scratch_bytes = scratch_bytes<kBlocks, kOutliers, kFloats>;
  return kernels;
}

}  // namespace

ActivationForm PackedKernels::form(DType weights) const {
  if (weights == DType::f32 || weights == DType::f16 || weights == DType::f8_e4m3) return ActivationForm::f32;
  if (weights == DType::bf16) return bf16_form;
  return dtype_traits(weights).block_elements == 256 ? ActivationForm::q8_256 : ActivationForm::q8_32;
}

const PackedKernels& packed_kernels(Isa isa) {
  static const std::array all = {
    assembled<kScalarBlocks, kScalarOutliers, kScalarFloats>(Isa::scalar),
#if defined(__x86_64__)
    assembled<kAvx2Blocks, kAvx2Outliers, kAvx2Floats>(Isa::avx2),
    assembled<kAvxVnniBlocks, kAvx2Outliers, kAvx2Floats>(Isa::avxvnni),
    assembled<kAvx512Blocks, kAvx512Outliers, kAvx512Floats>(Isa::avx512),
    assembled<kAvx512VnniBlocks, kAvx512Outliers, kAvx512Floats>(Isa::avx512vnni),
    assembled<kAvx512VnniBlocks, kAvx512Outliers, kAvx512Bf16Floats>(Isa::avx512bf16),
    assembled<kAmxBlocks, kAvx512Outliers, kAmxFloats>(Isa::amx),
#elif defined(__aarch64__)
    assembled<kNeonBlocks, kNeonOutliers, kNeonFloats>(Isa::neon),
    assembled<kNeonDotprodBlocks, kNeonOutliers, kNeonFloats>(Isa::neon_dotprod),
    assembled<kNeonI8mmBlocks, kNeonOutliers, kNeonFloats>(Isa::neon_i8mm),
#endif
  };
  for (const PackedKernels& kernels : all)
    if (kernels.isa == isa) return kernels;
  throw std::logic_error("no packed kernels for the instruction set");
}

}  // namespace mla
