// Weights in panels: how a matrix is laid out for the units that multiply it.
//
// A panel is 16 rows (output features) of a weight matrix, one beside the other, so that a vector register holds the
// same few columns of all of them and a result needs no sum across lanes. One layout serves every instruction set: 64
// bytes are one AVX-512 register, two of AVX2 or four of NEON, and 16 such stretches are the second operand of an AMX
// tile product. Repacking moves bits and loses none; rows beyond the matrix are zeros.
//
// Floats. F32 and F16: [cols][16]. BF16: [cols / 2][16][2], with zero columns up to a multiple of 32.
//
// F8_E4M3: the codes [cols][16], then from a multiple of 64 bytes on the factors f32[blocks of columns][16], times 256: one of 2^120
// or more is infinite, and makes NaN of its zeros. A code that is no number is 0 and its factor NaN.
//
// Quantized types. First the codes of the whole panel, then the scales. Codes come by 32 columns, which are 8 vectors
// v_0 to v_7 of 64 bytes: byte 4 r + i of v_g is the code of row r in column 4 g + i. A code is what the file has, not
// negative; only Q8_0 is stored as q + 128. Vectors of 8 bits follow one another; of fewer bits they share bytes, the
// low bits first, in planes, those of the same 32 columns one behind the other:
//   4 bits: 4 vectors, vector i has v_i | v_(i+4) << 4
//   2 bits: 2 vectors, vector i has v_i | v_(i+2) << 2 | v_(i+4) << 4 | v_(i+6) << 6
//   1 bit:  1 vector, bit g is v_g
// Q2_K: the 2-bit plane. Q3_K: 2 and 1. Q4_0, Q4_1, Q4_K, IQ4_NL, IQ4_XS: 4. Q5_0, Q5_1, Q5_K: 4 and 1. Q6_K: 4 and 2.
//
// Scales of a block of 32 columns: d f16[16]; for Q4_1 and Q5_1 then m f16[16].
// Scales of a block of 256 columns, all by group of columns:
//   Q4_K, Q5_K: d f16[16], dmin f16[16], scale u8[8][16], min u8[4][16][2] (groups 2 j and 2 j + 1 side by side)
//   Q2_K:       d f16[16], dmin f16[16], u8[8][16][2], the scale in the low and the min in the high half (likewise)
//   Q3_K, Q6_K: d f16[16], scale i8[16][16] (of Q3_K with its 32 subtracted)
//   IQ4_XS:     d f16[16], scale i8[8][16] (its 32 subtracted)
#pragma once

#include <cstddef>
#include <span>

#include "tensor/dtype.h"

namespace mla {

inline constexpr std::size_t kPanelRows = 16;
inline constexpr std::size_t kPanelAlignment = 64;

/// Bytes of one panel.
struct PanelShape {
  std::size_t scales = 0;  ///< Where the scales begin; F32, F16 and BF16 have none.
  std::size_t bytes = 0;   ///< A multiple of kPanelAlignment.
};

/// `cols` is whole blocks of `dtype`; F8_E4M3 has a factor for each `scale_cols` columns.
PanelShape panel_shape(DType dtype, std::size_t cols, std::size_t scale_cols = 0);

/// Writes panel_shape(dtype, cols).bytes to `panel` (aligned to kPanelAlignment): `rows`, at most kPanelRows, point to
/// rows of `dtype`, not F8_E4M3, as tensor/blocks.h describes them, of no alignment.
void pack_panel(DType dtype, std::span<const std::byte* const> rows, std::size_t cols, std::byte* panel);

/// The same of F8_E4M3: `scales` has the factors of each row's blocks, row by row.
void pack_f8_panel(std::span<const std::byte* const> rows, std::span<const float> scales, std::size_t cols,
                   std::size_t scale_cols, std::byte* panel);

}  // namespace mla
