// Panels of quantized types read one element at a time, as src/packed/panel.h describes them: written apart from the
// code that packs them, and plainly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "packed/panel.h"
#include "tensor/blocks.h"
#include "tensor/scalar.h"

class PanelReader {
 public:
  PanelReader(mla::DType dtype, const std::byte* panel, std::size_t cols)
      : dtype_(dtype), panel_(panel), scales_(panel + mla::panel_shape(dtype, cols).scales) {}

  std::size_t block() const { return mla::dtype_traits(dtype_).block_elements; }

  std::size_t group() const {
    using enum mla::DType;
    if (block() == 32) return 32;
    return dtype_ == q2_k || dtype_ == q3_k || dtype_ == q6_k ? 16 : 32;
  }

  bool has_min() const {
    using enum mla::DType;
    return dtype_ == q4_1 || dtype_ == q5_1 || dtype_ == q2_k || dtype_ == q4_k || dtype_ == q5_k;
  }

  int code(std::size_t row, std::size_t col) const {
    const std::vector<int> bits = planes();
    std::size_t vectors = 0;
    for (const int plane : bits) vectors += static_cast<std::size_t>(plane);
    const std::byte* at = panel_ + col / 32 * vectors * 64;
    int code = 0;
    int place = 0;
    for (const int plane : bits) {
      code |= in_plane(at, plane, row, col % 32) << place;
      place += plane;
      at += plane * 64;
    }
    return code;
  }

  /// The element without its scales.
  int weight(std::size_t row, std::size_t col) const {
    using enum mla::DType;
    switch (dtype_) {
      case iq4_nl:
      case iq4_xs:
        return mla::kIq4Values[code(row, col)];
      case q8_0:
        return code(row, col) - 128;
      case q4_0:
        return code(row, col) - 8;
      case q5_0:
        return code(row, col) - 16;
      case q3_k:
        return code(row, col) - 4;
      case q6_k:
        return code(row, col) - 32;
      default:
        return code(row, col);
    }
  }

  float d(std::size_t row, std::size_t col) const { return half(scales_of(col) + 2 * row); }
  /// m or dmin.
  float m(std::size_t row, std::size_t col) const { return half(scales_of(col) + 32 + 2 * row); }

  int scale(std::size_t row, std::size_t col) const {
    using enum mla::DType;
    const std::size_t index = col % 256 / group();
    const std::byte* const after_d = scales_of(col) + 32;
    switch (dtype_) {
      case q4_k:
      case q5_k:
        return static_cast<int>(after_d[32 + index * 16 + row]);
      case q2_k:
        return static_cast<int>(after_d[32 + index / 2 * 32 + row * 2 + index % 2] & std::byte{15});
      default:
        return static_cast<std::int8_t>(after_d[index * 16 + row]);
    }
  }

  int min(std::size_t row, std::size_t col) const {
    const std::size_t index = col % 256 / group();
    const std::byte* const after_halves = scales_of(col) + 64;
    const std::size_t pair = index / 2 * 32 + row * 2 + index % 2;
    if (dtype_ == mla::DType::q2_k) return static_cast<int>(after_halves[pair] >> 4);
    return static_cast<int>(after_halves[8 * 16 + pair]);
  }

  /// The element as tensor/blocks.h computes it.
  float value(std::size_t row, std::size_t col) const {
    const float w = static_cast<float>(weight(row, col));
    if (block() == 32) {
      const float scaled = d(row, col) * w;
      return has_min() ? scaled + m(row, col) : scaled;
    }
    const float scaled = d(row, col) * static_cast<float>(scale(row, col)) * w;
    return has_min() ? scaled - m(row, col) * static_cast<float>(min(row, col)) : scaled;
  }

 private:
  std::vector<int> planes() const {
    using enum mla::DType;
    switch (dtype_) {
      case q8_0:
        return {8};
      case q2_k:
        return {2};
      case q3_k:
        return {2, 1};
      case q5_0:
      case q5_1:
      case q5_k:
        return {4, 1};
      case q6_k:
        return {4, 2};
      default:
        return {4};
    }
  }

  /// v_g shares its vector with those whose number differs by a multiple of the plane's vectors: as many as its bits.
  static int in_plane(const std::byte* plane, int bits, std::size_t row, std::size_t col) {
    const int g = static_cast<int>(col / 4);
    const std::byte byte = plane[g % bits * 64 + static_cast<int>(4 * row + col % 4)];
    return static_cast<int>(byte) >> (g / bits * bits) & ((1 << bits) - 1);
  }

  std::size_t scale_bytes() const {
    using enum mla::DType;
    switch (dtype_) {
      case q4_1:
      case q5_1:
        return 64;
      case q4_k:
      case q5_k:
        return 64 + 8 * 16 + 4 * 16 * 2;
      case q2_k:
        return 64 + 8 * 16 * 2;
      case q3_k:
      case q6_k:
        return 32 + 16 * 16;
      case iq4_xs:
        return 32 + 8 * 16;
      default:
        return 32;
    }
  }

  const std::byte* scales_of(std::size_t col) const { return scales_ + col / block() * scale_bytes(); }

  static float half(const std::byte* at) { return mla::f16_to_float(mla::load_unaligned<std::uint16_t>(at)); }

  mla::DType dtype_;
  const std::byte* panel_;
  const std::byte* scales_;
};
