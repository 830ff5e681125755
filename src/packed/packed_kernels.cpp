#include "packed/packed_kernels.h"

#include <algorithm>
#include <stdexcept>

#include "packed/implementations.h"

namespace mla {
namespace {

template <const BlockKernels& kBlocks, const FloatKernels& kFloats>
std::size_t scratch_bytes(std::size_t cols) {
  return std::max(kBlocks.scratch_bytes(cols), kFloats.scratch_bytes(cols));
}

template <const BlockKernels& kBlocks, const FloatKernels& kFloats>
PackedKernels assembled(Isa isa) {
  PackedKernels kernels{};
  kernels.isa = isa;
  kernels.multiply = kBlocks.multiply;
  const auto set = [&](DType dtype, void (*multiply)(const PanelJob&)) {
    kernels.multiply[static_cast<std::size_t>(dtype)] = multiply;
  };
  set(DType::f32, kFloats.multiply_f32);
  set(DType::f16, kFloats.multiply_f16);
  set(DType::bf16, kFloats.multiply_bf16);
  kernels.quantize = kFloats.quantize;
  kernels.to_bf16 = kFloats.to_bf16;
  kernels.from_bf16 = kFloats.from_bf16;
  kernels.scratch_bytes = scratch_bytes<kBlocks, kFloats>;
  return kernels;
}

}  // namespace

const PackedKernels& packed_kernels(Isa isa) {
  static const std::array all = {
    assembled<kScalarBlocks, kScalarFloats>(Isa::scalar),
#if defined(__x86_64__)
    assembled<kAvx2Blocks, kAvx2Floats>(Isa::avx2),
    assembled<kAvxVnniBlocks, kAvx2Floats>(Isa::avxvnni),
    assembled<kAvx512Blocks, kAvx512Floats>(Isa::avx512),
    assembled<kAvx512VnniBlocks, kAvx512Floats>(Isa::avx512vnni),
    assembled<kAvx512VnniBlocks, kAvx512Bf16Floats>(Isa::avx512bf16),
    assembled<kAmxBlocks, kAmxFloats>(Isa::amx),
#endif
  };
  for (const PackedKernels& kernels : all)
    if (kernels.isa == isa) return kernels;
  throw std::logic_error("no packed kernels for the instruction set");
}

}  // namespace mla
