#include "packed/block_parts.h"

#include <cassert>
#include <cstring>

#include "tensor/blocks.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

using namespace block_detail;

std::uint16_t half_bits(const std::byte* from) {
  return load_unaligned<std::uint16_t>(from);
}

/// The loops below are over bytes of fixed number, which compilers make vectors of.
using Bytes = const std::uint8_t*;
Bytes bytes_at(const std::byte* block, std::size_t at) {
  return reinterpret_cast<Bytes>(block + at);
}

/// codes[i] and codes[kHalf + i] are the low and the high half of byte i.
template <std::size_t kHalf>
void take_nibbles(Bytes qs, std::uint8_t* codes) {
  for (std::size_t i = 0; i < kHalf; ++i) codes[i] = qs[i] & 15U;
  for (std::size_t i = 0; i < kHalf; ++i) codes[kHalf + i] = qs[i] >> 4U;
}

/// codes[i] |= bit i of qh << 4, for 32 codes, eight at a time.
void add_fifth_bits(const std::byte* qh, std::uint8_t* codes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kDiagonal = 0x8040201008040201U;  // Byte j has bit j.
  constexpr std::uint64_t kTops = 0x80 * kOnes;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t bits = static_cast<std::uint64_t>(qh[i]) * kOnes & kDiagonal;
    const std::uint64_t tops = (bits + (kTops - kDiagonal)) & kTops;  // Carried to the top of its byte.
    std::uint64_t word;
    std::memcpy(&word, codes + 8 * i, sizeof word);
    word |= tops >> 3U;
    std::memcpy(codes + 8 * i, &word, sizeof word);
  }
}

template <typename At>
void take_32(const std::byte* block, BlockParts& parts) {
  parts.d = half_bits(block + At::d);
  if constexpr (requires { At::m; }) parts.m = half_bits(block + At::m);
  take_nibbles<16>(bytes_at(block, At::qs), parts.codes);
  if constexpr (requires { At::qh; }) add_fifth_bits(block + At::qh, parts.codes);
}

void take_q8_0(const std::byte* block, BlockParts& parts) {
  using At = block_layout::Q8_0;
  parts.d = half_bits(block + At::d);
  const Bytes qs = bytes_at(block, At::qs);
  for (std::size_t i = 0; i < 32; ++i) parts.codes[i] = qs[i] ^ 0x80U;
}

/// Codes of 2 bits: of each 128, byte i of 32 has i, i + 32, i + 64 and i + 96.
void take_twos(Bytes qs, std::uint8_t* codes) {
  for (std::size_t half = 0; half < 2; ++half, qs += 32)
    for (unsigned shift = 0; shift < 8; shift += 2, codes += 32)
      for (std::size_t i = 0; i < 32; ++i) codes[i] = static_cast<std::uint8_t>(qs[i] >> shift & 3U);
}

/// codes[32 b + i] |= bit b of byte i << kPlace.
template <unsigned kPlace>
void add_mask_bits(Bytes mask, std::uint8_t* codes) {
  for (unsigned bit = 0; bit < 8; ++bit, codes += 32)
    for (std::size_t i = 0; i < 32; ++i)
      codes[i] = static_cast<std::uint8_t>(codes[i] | (mask[i] >> bit & 1U) << kPlace);
}

void take_q2_k(const std::byte* block, BlockParts& parts) {
  using At = block_layout::Q2_K;
  parts.d = half_bits(block + At::d);
  parts.m = half_bits(block + At::dmin);
  for (std::size_t i = 0; i < 16; ++i) {
    const int packed = byte_at(block, At::scales + i);
    parts.scales[i] = static_cast<std::int8_t>(packed & 15);
    parts.mins[i] = static_cast<std::uint8_t>(packed >> 4);
  }
  take_twos(bytes_at(block, At::qs), parts.codes);
}

void take_q3_k(const std::byte* block, BlockParts& parts) {
  using At = block_layout::Q3_K;
  parts.d = half_bits(block + At::d);
  for (std::size_t i = 0; i < 16; ++i)
    parts.scales[i] = static_cast<std::int8_t>(q3_k_scale(block + At::scales, i));
  take_twos(bytes_at(block, At::qs), parts.codes);
  add_mask_bits<2>(bytes_at(block, At::hmask), parts.codes);
}

template <typename At>
void take_q45_k(const std::byte* block, BlockParts& parts) {
  parts.d = half_bits(block + At::d);
  parts.m = half_bits(block + At::dmin);
  for (std::size_t i = 0; i < 8; ++i) {
    const ScaleAndMin packed = scale_and_min(block + At::scales, i);
    parts.scales[i] = static_cast<std::int8_t>(packed.scale);
    parts.mins[i] = static_cast<std::uint8_t>(packed.min);
  }
  for (std::size_t i = 0; i < 4; ++i)
    take_nibbles<32>(bytes_at(block, At::qs + 32 * i), parts.codes + 64 * i);
  if constexpr (requires { At::qh; }) add_mask_bits<4>(bytes_at(block, At::qh), parts.codes);
}

void take_q6_k(const std::byte* block, BlockParts& parts) {
  using At = block_layout::Q6_K;
  parts.d = half_bits(block + At::d);
  std::memcpy(parts.scales, block + At::scales, 16);
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint8_t* const codes = parts.codes + 128 * half;
    take_nibbles<64>(bytes_at(block, At::ql + 64 * half), codes);
    const Bytes qh = bytes_at(block, At::qh + 32 * half);
    for (unsigned part = 0; part < 4; ++part)
      for (std::size_t i = 0; i < 32; ++i)
        codes[32 * part + i] =
            static_cast<std::uint8_t>(codes[32 * part + i] | (qh[i] >> (2 * part) & 3U) << 4U);
  }
}

void take_iq4_xs(const std::byte* block, BlockParts& parts) {
  using At = block_layout::Iq4Xs;
  parts.d = half_bits(block + At::d);
  for (std::size_t i = 0; i < 8; ++i) {
    parts.scales[i] = static_cast<std::int8_t>(iq4_xs_scale(block, i));
    take_nibbles<16>(bytes_at(block, At::qs + 16 * i), parts.codes + 32 * i);
  }
}

}  // namespace

void take_apart(DType dtype, const std::byte* block, BlockParts& parts) {
  switch (dtype) {
    case DType::q8_0:
      return take_q8_0(block, parts);
    case DType::q4_0:
      return take_32<block_layout::Q4_0>(block, parts);
    case DType::q4_1:
      return take_32<block_layout::Q4_1>(block, parts);
    case DType::q5_0:
      return take_32<block_layout::Q5_0>(block, parts);
    case DType::q5_1:
      return take_32<block_layout::Q5_1>(block, parts);
    case DType::q2_k:
      return take_q2_k(block, parts);
    case DType::q3_k:
      return take_q3_k(block, parts);
    case DType::q4_k:
      return take_q45_k<block_layout::Q4_K>(block, parts);
    case DType::q5_k:
      return take_q45_k<block_layout::Q5_K>(block, parts);
    case DType::q6_k:
      return take_q6_k(block, parts);
    case DType::iq4_nl:
      return take_32<block_layout::Iq4Nl>(block, parts);
    case DType::iq4_xs:
      return take_iq4_xs(block, parts);
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f8_e4m3:
      break;
  }
  assert(!"a plain type has no blocks");
}

}  // namespace mla
