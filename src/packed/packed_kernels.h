// Multiplying panels, one implementation per instruction set behind one table.
//
// Quantized types. With w the code less the type's offset (8, 16, 4 or 32; 128 for Q8_0; IQ4 codes stand for
// kIq4Values), a the 8-bit activation, all sums of integers exact in 32 bits, and every float operation rounded once:
//   blocks of 32:  y = fma(float(sum w a), d * s, y);  with m: then y = fma(m, s * float(sum a), y)
//   blocks of 256: y = fma(float(sum_g scale_g * sum w a), d * s, y);
//                  with min: then y = fma(-float(sum_g min_g * sum a), dmin * s, y)
// where s is the activation block's scale, from y = 0 over the blocks in their order. So all instruction sets give the same bits.
// After that the row's outliers: y = fma(w, x, y) in their order, where w is the weight in float32: (code - offset) * d,
// or fma(code, d, m); in blocks of 256 with d * scale for d and -(dmin * min) for m, products that are exact.
// F32, F16, BF16 and F8_E4M3 (code times factor, rounded) by activations in float32: y = fma(w, x, y) over the columns in
// their order: the same bits as well. By
// activations in bf16, which attention has: the same on scalar, AVX2, AVX-512 and NEON. Units for BF16 (AVX-512 BF16, AMX)
// add pairs of products in float32 in an order of their own and take subnormal factors and sums for zeros: other bits, but an element's
// order is fixed within an instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"
#include "packed/activations.h"
#include "packed/ahead.h"
#include "packed/panel.h"
#include "tensor/matrix.h"

namespace mla {

/// y [x.rows, rows] = x W^T for `rows` rows of weights in consecutive panels.
struct PanelJob {
  const std::byte* panels = nullptr;  ///< Aligned to kPanelAlignment.
  std::size_t panel_bytes = 0;        ///< From one panel to the next: panel_shape of it.
  std::size_t rows = 0;               ///< Output features; the last panel may hold fewer than kPanelRows.
  std::size_t cols = 0;
  std::size_t scales = 0;      ///< F8_E4M3: where a panel's factors begin, and
  std::size_t scale_cols = 0;  ///< how many columns have one.
  ActivationView x;            ///< In PackedKernels::form(dtype); of BF16 panels also in bf16.
  Matrix y;
  std::byte* scratch =
      nullptr;       ///< scratch_bytes(dtype, cols), aligned to kPanelAlignment, the caller's own.
  Ahead ahead = {};  ///< Looked at where PackedKernels::ahead_steps says so.
};

struct PackedKernels {
  Isa isa;

  /// Indexed by DType.
  std::array<void (*)(const PanelJob&), kDTypeTraits.size()> multiply;
  /// Adds the products of the outliers, if there are any; null for types whose activations have none.
  std::array<void (*)(const PanelJob&), kDTypeTraits.size()> add_outliers;

  /// What float32 activations are brought into for BF16 panels: f32, or bf16_pair.
  ActivationForm bf16_form;
  /// F32, F16 and F8_E4M3 weights are multiplied by f32, types in blocks of 32 by q8_32, of 256 by q8_256.
  ActivationForm form(DType weights) const;

  /// At how many steps a job of BF16 panels fetches its `ahead`: 0 if it does not.
  std::size_t (*ahead_steps)(std::size_t tokens, std::size_t rows, std::size_t cols);

  /// The row `x` of `to.cols` values becomes row `row` of `to`, whose memory it writes (see activations_in).
  void (*quantize)(const float* x, const ActivationView& to, std::size_t row);

  /// n values to bf16 bits, rounded to nearest, ties to even, and back.
  void (*to_bf16)(const float* x, std::size_t n, std::uint16_t* bits);
  void (*from_bf16)(const std::uint16_t* bits, std::size_t n, float* x);

  /// Scratch for jobs of `cols` columns, for every type and number of rows.
  std::size_t (*scratch_bytes)(std::size_t cols);
};

/// The implementation for `isa`, which is available.
const PackedKernels& packed_kernels(Isa isa);

}  // namespace mla
