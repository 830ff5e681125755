// What the files of the instruction sets hand to the tables: each its share, for those sets where it differs from the
// next plainer one.
#pragma once

#include "packed/packed_kernels.h"

namespace mla {

/// Panels of quantized types.
struct BlockKernels {
  std::array<void (*)(const PanelJob&), kDTypeTraits.size()> multiply;  ///< Null for the plain types.
  std::size_t (*scratch_bytes)(std::size_t cols);  ///< For every type and number of rows.
};

/// Outliers of 8-bit activations by panels of quantized types.
struct OutlierKernels {
  std::array<void (*)(const PanelJob&), kDTypeTraits.size()> add;  ///< Null for the plain types.
  std::size_t (*scratch_bytes)(std::size_t cols);
};

/// Panels of floats, and activations.
struct FloatKernels {
  void (*multiply_f32)(const PanelJob&);
  void (*multiply_f16)(const PanelJob&);
  void (*multiply_bf16)(const PanelJob&);
  void (*multiply_f8)(const PanelJob&);
  void (*quantize)(const float* x, const ActivationView& to, std::size_t row);
  void (*to_bf16)(const float* x, std::size_t n, std::uint16_t* bits);
  void (*from_bf16)(const std::uint16_t* bits, std::size_t n, float* x);
  std::size_t (*scratch_bytes)(std::size_t cols);
};

extern const BlockKernels kScalarBlocks;
extern const OutlierKernels kScalarOutliers;
extern const FloatKernels kScalarFloats;
#if defined(__x86_64__)
extern const BlockKernels kAvx2Blocks;
extern const BlockKernels kAvxVnniBlocks;
extern const BlockKernels kAvx512Blocks;
extern const BlockKernels kAvx512VnniBlocks;
extern const BlockKernels kAmxBlocks;
extern const OutlierKernels kAvx2Outliers;
extern const OutlierKernels kAvx512Outliers;
extern const FloatKernels kAvx2Floats;
extern const FloatKernels kAvx512Floats;
extern const FloatKernels kAvx512Bf16Floats;
extern const FloatKernels kAmxFloats;
#elif defined(__aarch64__)
extern const BlockKernels kNeonBlocks;
extern const BlockKernels kNeonDotprodBlocks;
extern const BlockKernels kNeonI8mmBlocks;
extern const OutlierKernels kNeonOutliers;
extern const FloatKernels kNeonFloats;
#endif

}  // namespace mla
