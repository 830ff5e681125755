#include "tensor/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/quantize_k.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kHalf = kBlock / 2;

template <typename T>
void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

bool f16_is_finite(std::uint16_t bits) {
  return (bits & 0x7c00U) != 0x7c00U;
}

/// 1 / step, or 0 where that is no number: the f16 of such a step is 0 as well.
float inverse(float step) {
  const float result = step == 0.0F ? 0.0F : 1.0F / step;
  return std::isfinite(result) ? result : 0.0F;
}

/// The value of largest magnitude, the first of several.
float extreme(const float* x) {
  float found = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    if (std::fabs(x[i]) > std::fabs(found)) found = x[i];
  return found;
}

using Levels = std::array<std::uint8_t, kBlock>;

/// Four bits of each: element i with element i + 16 in one byte.
void pack_nibbles(const Levels& levels, std::byte* out) {
  for (std::size_t i = 0; i < kHalf; ++i)
    out[i] = static_cast<std::byte>((levels[i] & 0xfU) | (levels[i + kHalf] & 0xfU) << 4);
}

/// The fifth bit of each.
std::uint32_t fifth_bits(const Levels& levels) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < kBlock; ++i) bits |= std::uint32_t{levels[i]} >> 4 << i;
  return bits;
}

bool encode_q8_0(const float* x, std::byte* out) {
  const float step = std::fabs(extreme(x)) / 127.0F;
  const float factor = inverse(step);
  const std::uint16_t scale = float_to_f16(step);
  store(out, scale);
  for (std::size_t i = 0; i < kBlock; ++i)
    store(out + 2 + i, static_cast<std::int8_t>(std::round(x[i] * factor)));  // Halves away from zero.
  return f16_is_finite(scale);
}

/// Levels around `zero`, the extreme value at level 0.
Levels signed_levels(const float* x, float step, int zero) {
  const float factor = inverse(step);
  Levels levels;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const float level = x[i] * factor + (static_cast<float>(zero) + 0.5F);
    levels[i] = static_cast<std::uint8_t>(std::min(2 * zero - 1, static_cast<int>(level)));
  }
  return levels;
}

bool encode_q4_0(const float* x, std::byte* out) {
  const float step = extreme(x) / -8.0F;
  const std::uint16_t scale = float_to_f16(step);
  store(out, scale);
  pack_nibbles(signed_levels(x, step, 8), out + 2);
  return f16_is_finite(scale);
}

bool encode_q5_0(const float* x, std::byte* out) {
  const float step = extreme(x) / -16.0F;
  const std::uint16_t scale = float_to_f16(step);
  const Levels levels = signed_levels(x, step, 16);
  store(out, scale);
  store(out + 2, fifth_bits(levels));
  pack_nibbles(levels, out + 6);
  return f16_is_finite(scale);
}

/// Q4_1 and Q5_1: levels from the least value up to the greatest. Writes scale and minimum.
bool encode_with_minimum(const float* x, int top, Levels& levels, std::byte* out) {
  const auto [least, greatest] = std::minmax_element(x, x + kBlock);
  const float step = (*greatest - *least) / static_cast<float>(top);
  const float factor = inverse(step);
  for (std::size_t i = 0; i < kBlock; ++i)
    levels[i] = static_cast<std::uint8_t>(std::min(top, static_cast<int>((x[i] - *least) * factor + 0.5F)));
  const std::uint16_t scale = float_to_f16(step);
  const std::uint16_t minimum = float_to_f16(*least);
  store(out, scale);
  store(out + 2, minimum);
  return f16_is_finite(scale) && f16_is_finite(minimum);
}

bool encode_q4_1(const float* x, std::byte* out) {
  Levels levels;
  const bool fits = encode_with_minimum(x, 15, levels, out);
  pack_nibbles(levels, out + 4);
  return fits;
}

bool encode_q5_1(const float* x, std::byte* out) {
  Levels levels;
  const bool fits = encode_with_minimum(x, 31, levels, out);
  store(out + 4, fifth_bits(levels));
  pack_nibbles(levels, out + 8);
  return fits;
}

/// Two f16 and 12 bytes of six-bit scales and minimums: the first four groups' in the low bits of bytes 0 to 3
/// and 4 to 7; of the others four bits in bytes 8 to 11, the upper two in the upper bits of the first eight bytes.
bool store_affine_scales(const AffineBlock& block, std::byte* out) {
  store(out, block.scale);
  store(out + 2, block.minimum);
  std::array<std::uint8_t, 12> packed{};
  for (std::size_t g = 0; g < 4; ++g) {
    const unsigned scale = block.scales[g + 4];
    const unsigned minimum = block.minimums[g + 4];
    packed[g] = static_cast<std::uint8_t>(block.scales[g] | scale >> 4 << 6);
    packed[g + 4] = static_cast<std::uint8_t>(block.minimums[g] | minimum >> 4 << 6);
    packed[g + 8] = static_cast<std::uint8_t>((scale & 0xfU) | (minimum & 0xfU) << 4);
  }
  store(out + 4, packed);
  return f16_is_finite(block.scale) && f16_is_finite(block.minimum);
}

/// Two neighbouring groups of 32 share 32 bytes: the first in the low four bits.
void pack_groups(const std::uint8_t* levels, std::byte* out) {
  for (std::size_t pair = 0; pair < 4; ++pair)
    for (std::size_t i = 0; i < 32; ++i)
      out[pair * 32 + i] =
          static_cast<std::byte>((levels[pair * 64 + i] & 0xfU) | (levels[pair * 64 + 32 + i] & 0xfU) << 4);
}

bool encode_q4_k(const float* x, std::byte* out) {
  const AffineBlock block = fit_affine_block(std::span<const float, kSuperBlock>(x, kSuperBlock), 15);
  const bool fits = store_affine_scales(block, out);
  pack_groups(block.levels, out + 16);
  return fits;
}

bool encode_q5_k(const float* x, std::byte* out) {
  const AffineBlock block = fit_affine_block(std::span<const float, kSuperBlock>(x, kSuperBlock), 31);
  const bool fits = store_affine_scales(block, out);
  for (std::size_t i = 0; i < 32; ++i) {  // Bit g of byte i: the fifth bit of element i of group g.
    unsigned bits = 0;
    for (std::size_t g = 0; g < 8; ++g) bits |= static_cast<unsigned>(block.levels[g * 32 + i]) >> 4 << g;
    out[16 + i] = static_cast<std::byte>(bits);
  }
  pack_groups(block.levels, out + 48);
  return fits;
}

/// Per 128 elements: 64 bytes of low four bits (quarters 0 and 2, 1 and 3 together) and 32 of upper two bits.
bool encode_q6_k(const float* x, std::byte* out) {
  const SymmetricBlock block = fit_symmetric_block(std::span<const float, kSuperBlock>(x, kSuperBlock));
  std::byte* const low = out;
  std::byte* const high = out + 128;
  for (std::size_t half = 0; half < 2; ++half)
    for (std::size_t i = 0; i < 32; ++i) {
      std::array<unsigned, 4> level;
      for (std::size_t quarter = 0; quarter < 4; ++quarter)
        level[quarter] = static_cast<unsigned>(block.levels[half * 128 + quarter * 32 + i] + 32);
      low[half * 64 + i] = static_cast<std::byte>((level[0] & 0xfU) | (level[2] & 0xfU) << 4);
      low[half * 64 + 32 + i] = static_cast<std::byte>((level[1] & 0xfU) | (level[3] & 0xfU) << 4);
      high[half * 32 + i] = static_cast<std::byte>(level[0] >> 4 | level[1] >> 4 << 2 | level[2] >> 4 << 4 |
                                                   level[3] >> 4 << 6);
    }
  std::memcpy(out + 192, block.scales, sizeof block.scales);
  store(out + 208, block.scale);
  return f16_is_finite(block.scale);
}

bool encode_f32(const float* x, std::byte* out) {
  store(out, *x);
  return true;
}

bool encode_f16(const float* x, std::byte* out) {
  const std::uint16_t bits = float_to_f16(*x);
  store(out, bits);
  return f16_is_finite(bits);
}

bool encode_bf16(const float* x, std::byte* out) {
  const std::uint16_t bits = float_to_bf16(*x);
  store(out, bits);
  return (bits & 0x7f80U) != 0x7f80U;
}

using Encoder = bool (*)(const float* block, std::byte* out);

Encoder encoder_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return encode_f32;
    case DType::f16:
      return encode_f16;
    case DType::bf16:
      return encode_bf16;
    case DType::q8_0:
      return encode_q8_0;
    case DType::q4_0:
      return encode_q4_0;
    case DType::q4_1:
      return encode_q4_1;
    case DType::q5_0:
      return encode_q5_0;
    case DType::q5_1:
      return encode_q5_1;
    case DType::q4_k:
      return encode_q4_k;
    case DType::q5_k:
      return encode_q5_k;
    case DType::q6_k:
      return encode_q6_k;
    default:
      return nullptr;
  }
}

}  // namespace

bool can_encode(DType dtype) {
  return encoder_of(dtype) != nullptr;
}

bool encode_row(DType dtype, std::span<const float> row, std::span<std::byte> out) {
  for (const float value : row)
    if (!std::isfinite(value)) return false;
  const Encoder encode = encoder_of(dtype);
  const DTypeTraits& traits = dtype_traits(dtype);
  bool fits = true;
  for (std::size_t block = 0; block < row.size() / traits.block_elements; ++block)
    fits &= encode(row.data() + block * traits.block_elements, out.data() + block * traits.block_bytes);
  return fits;
}

}  // namespace mla
