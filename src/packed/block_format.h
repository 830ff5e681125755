// What panels of each quantized type are made of: packed/panel.h in numbers, for those who write and read them.
//
// Compiled for several instruction sets: everything is in an unnamed namespace, see kernels/vector_kernels.h.
#pragma once

#include <cstddef>

#include "packed/panel.h"
#include "tensor/dtype.h"

namespace mla {
namespace {

/// How the integer scales of the groups of a block of 256 columns lie in a panel.
enum class GroupScales {
  none,        ///< Blocks of 32 columns: d is the only scale.
  u8_and_min,  ///< scale u8[8][16], min u8[4][16][2]
  nibbles,     ///< u8[8][16][2]: scale low, min high
  i8           ///< scale i8[256 / group][16]
};

struct BlockFormat {
  std::size_t block;  ///< Columns with one d.
  std::size_t group;  ///< Columns with one integer scale; `block` where there is none.
  int low_bits;       ///< Of the first plane,
  int high_bits;      ///< and of the second; 0 if there is none.
  int offset;         ///< A weight is its code less this,
  bool table;         ///< or, with offset 128, what kIq4Values has for it.
  bool mins;          ///< There is m or dmin.
  GroupScales scales;
};

constexpr std::size_t kUnitCols = 32;  ///< Columns whose codes share the vectors of a plane.

constexpr BlockFormat block_format(DType dtype) {
  using enum GroupScales;
  switch (dtype) {
    case DType::q8_0:
      return {32, 32, 8, 0, 128, false, false, none};
    case DType::q4_0:
      return {32, 32, 4, 0, 8, false, false, none};
    case DType::q4_1:
      return {32, 32, 4, 0, 0, false, true, none};
    case DType::q5_0:
      return {32, 32, 4, 1, 16, false, false, none};
    case DType::q5_1:
      return {32, 32, 4, 1, 0, false, true, none};
    case DType::iq4_nl:
      return {32, 32, 4, 0, 128, true, false, none};
    case DType::q2_k:
      return {256, 16, 2, 0, 0, false, true, nibbles};
    case DType::q3_k:
      return {256, 16, 2, 1, 4, false, false, i8};
    case DType::q4_k:
      return {256, 32, 4, 0, 0, false, true, u8_and_min};
    case DType::q5_k:
      return {256, 32, 4, 1, 0, false, true, u8_and_min};
    case DType::q6_k:
      return {256, 16, 4, 2, 32, false, false, i8};
    case DType::iq4_xs:
      return {256, 32, 4, 0, 128, true, false, i8};
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f8_e4m3:
      break;
  }
  return {};
}

constexpr bool is_block_type(DType dtype) {
  return block_format(dtype).block != 0;
}

/// Bytes of the codes of kUnitCols columns of a panel.
constexpr std::size_t unit_bytes(const BlockFormat& format) {
  return static_cast<std::size_t>(format.low_bits + format.high_bits) * 64;
}

/// Bytes of the scales of one block of a panel, and where their parts begin.
struct ScaleBytes {
  std::size_t m = 32;      ///< m or dmin, if there is one; d is at 0.
  std::size_t scales = 0;  ///< Of groups, if there are any.
  std::size_t mins = 0;    ///< u8_and_min: the mins.
  std::size_t block = 0;   ///< All of them.
};

constexpr ScaleBytes scale_bytes(const BlockFormat& format) {
  ScaleBytes bytes;
  bytes.scales = format.mins ? 64 : 32;
  const std::size_t groups = format.scales == GroupScales::none ? 0 : format.block / format.group;
  bytes.mins = bytes.scales + groups * kPanelRows;
  bytes.block = format.scales == GroupScales::u8_and_min ? bytes.mins + groups * kPanelRows : bytes.mins;
  return bytes;
}

/// Where vector v_g of a unit lies in a plane of `bits` bits: in which of the plane's vectors, and shifted by how much.
struct InPlane {
  std::size_t vector;
  int shift;
};

constexpr InPlane in_plane(std::size_t g, int bits) {
  const std::size_t vectors = static_cast<std::size_t>(bits);
  return {g % vectors, bits * static_cast<int>(g / vectors)};
}

}  // namespace
}  // namespace mla
