// The kernels on quantized weights: blocks are decoded in registers, a vector at a time, to the bits that
// tensor/blocks.h gives. What is said at the head of vector_kernels.h holds here too.
//
// Beyond that V has: Int (a vector of `width` ints), load_u8 / load_i8 (width bytes, widened), shift_right, mask (a & a
// number), join (a | b << n), offset (a + a number), to_float, lane_bits (lane i gets bit i of a number), lookup (values
// of a table of 16 floats by index) and half (one float16). Where the width is one, none of these are needed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/blocks.h"
#include "tensor/decode_block.h"

namespace mla {
namespace {

template <DType kType>
inline constexpr std::size_t kBlockElements = dtype_traits(kType).block_elements;
template <DType kType>
inline constexpr std::size_t kBlockBytes = dtype_traits(kType).block_bytes;

struct Iq4Table {
  float values[16];
};
constexpr Iq4Table iq4_table() {
  Iq4Table table{};
  for (std::size_t i = 0; i < 16; ++i) table.values[i] = static_cast<float>(kIq4Values[i]);
  return table;
}
inline constexpr Iq4Table kIq4Table = iq4_table();

/// Elements [at, at + width) of the 32 nibbles of qs[16].
template <typename V>
typename V::Int nibbles(const std::byte* qs, std::size_t at) {
  const typename V::Int bytes = V::load_u8(qs + at % 16);
  return at < 16 ? V::mask(bytes, 15) : V::shift_right(bytes, 4);
}

/// The decoders below call sink(at, vector, values) for elements [at, at + width) of the block, in order; `vector` counts
/// within a group and is a constant, since the loops over a group are unrolled (widths are 8 and 16).
template <typename V, DType kType, typename Sink>
void decode_32(const std::byte* block, Sink sink) {
  using namespace block_layout;
  using namespace block_detail;
  constexpr bool kShifted = kType == DType::q4_1 || kType == DType::q5_1;  // Has an m.
  constexpr std::size_t kHigh = kType == DType::q5_0 ? Q5_0::qh : Q5_1::qh;
  constexpr std::size_t kQs = kBlockBytes<kType> - (kType == DType::q8_0 ? 32 : 16);
  static_assert(Q4_1::m == Q5_1::m && Q8_0::qs == 2 && Q4_0::qs == 2 && Q4_1::qs == 4 && Q5_0::qs == 6 &&
                Q5_1::qs == 8 && Iq4Nl::qs == 2);  // All end with qs and begin with d.
  const typename V::Reg d = V::set1(V::half(block));
  std::uint32_t high = 0;
  if constexpr (kType == DType::q5_0 || kType == DType::q5_1)
    high = u16_at(block, kHigh) | u16_at(block, kHigh + 2) << 16;
#pragma GCC unroll 4
  for (std::size_t at = 0; at < 32; at += V::width) {
    if constexpr (kType == DType::q8_0) {
      sink(at, at / V::width, V::mul(d, V::to_float(V::load_i8(block + kQs + at))));
    } else if constexpr (kType == DType::iq4_nl) {
      sink(at, at / V::width, V::mul(d, V::lookup(kIq4Table.values, nibbles<V>(block + kQs, at))));
    } else {
      typename V::Int q = nibbles<V>(block + kQs, at);
      if constexpr (kType == DType::q5_0 || kType == DType::q5_1) q = V::join(q, V::lane_bits(high >> at), 4);
      if constexpr (kType == DType::q4_0) q = V::offset(q, -8);
      if constexpr (kType == DType::q5_0) q = V::offset(q, -16);
      const typename V::Reg scaled = V::mul(d, V::to_float(q));
      if constexpr (kShifted)
        sink(at, at / V::width, V::add(scaled, V::set1(V::half(block + Q4_1::m))));
      else
        sink(at, at / V::width, scaled);
    }
  }
}

template <typename V, typename Sink>
void decode_q2_k(const std::byte* block, Sink sink) {
  using At = block_layout::Q2_K;
  const float d = V::half(block + At::d);
  const float dmin = V::half(block + At::dmin);
  for (std::size_t group = 0; group < 16; ++group) {
    const int packed = block_detail::byte_at(block, At::scales + group);
    const typename V::Reg scale = V::set1(d * static_cast<float>(packed & 15));
    const typename V::Reg min = V::set1(dmin * static_cast<float>(packed >> 4));
    const std::byte* const qs = block + At::qs + group / 8 * 32 + group % 2 * 16;
    const int shift = static_cast<int>(group % 8 / 2 * 2);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 16; i += V::width) {
      const typename V::Int q = V::mask(V::shift_right(V::load_u8(qs + i), shift), 3);
      sink(group * 16 + i, i / V::width, V::sub(V::mul(scale, V::to_float(q)), min));
    }
  }
}

template <typename V, typename Sink>
void decode_q3_k(const std::byte* block, Sink sink) {
  using At = block_layout::Q3_K;
  const float d = V::half(block + At::d);
  for (std::size_t group = 0; group < 16; ++group) {
    const int packed = block_detail::q3_k_scale(block + At::scales, group);
    const typename V::Reg scale = V::set1(d * static_cast<float>(packed));
    const std::byte* const qs = block + At::qs + group / 8 * 32 + group % 2 * 16;
    const std::byte* const hmask = block + At::hmask + group % 2 * 16;
    const int shift = static_cast<int>(group % 8 / 2 * 2);
    const int bit = static_cast<int>(group / 2);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 16; i += V::width) {
      const typename V::Int low = V::mask(V::shift_right(V::load_u8(qs + i), shift), 3);
      const typename V::Int high = V::mask(V::shift_right(V::load_u8(hmask + i), bit), 1);
      sink(group * 16 + i, i / V::width, V::mul(scale, V::to_float(V::offset(V::join(low, high, 2), -4))));
    }
  }
}

/// Q4_K and Q5_K.
template <typename V, DType kType, typename Sink>
void decode_q45_k(const std::byte* block, Sink sink) {
  using At = block_layout::Q5_K;
  static_assert(At::d == block_layout::Q4_K::d && At::dmin == block_layout::Q4_K::dmin &&
                At::scales == block_layout::Q4_K::scales);
  constexpr std::size_t kQs = kType == DType::q4_k ? block_layout::Q4_K::qs : At::qs;
  const float d = V::half(block + At::d);
  const float dmin = V::half(block + At::dmin);
  for (std::size_t group = 0; group < 8; ++group) {
    const block_detail::ScaleAndMin packed = block_detail::scale_and_min(block + At::scales, group);
    const typename V::Reg scale = V::set1(d * static_cast<float>(packed.scale));
    const typename V::Reg min = V::set1(dmin * static_cast<float>(packed.min));
    const std::byte* const qs = block + kQs + group / 2 * 32;
    const int shift = static_cast<int>(group % 2 * 4);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 32; i += V::width) {
      typename V::Int q = V::mask(V::shift_right(V::load_u8(qs + i), shift), 15);
      if constexpr (kType == DType::q5_k) {
        const typename V::Int high = V::shift_right(V::load_u8(block + At::qh + i), static_cast<int>(group));
        q = V::join(q, V::mask(high, 1), 4);
      }
      sink(group * 32 + i, i / V::width, V::sub(V::mul(scale, V::to_float(q)), min));
    }
  }
}

template <typename V, typename Sink>
void decode_q6_k(const std::byte* block, Sink sink) {
  using At = block_layout::Q6_K;
  const float d = V::half(block + At::d);
  for (std::size_t group = 0; group < 16; ++group) {
    const int packed = block_detail::int8_at(block, At::scales + group);
    const typename V::Reg scale = V::set1(d * static_cast<float>(packed));
    const std::byte* const ql = block + At::ql + group / 8 * 64 + group % 4 * 16;
    const std::byte* const qh = block + At::qh + group / 8 * 32 + group % 2 * 16;
    const int low_shift = static_cast<int>(group % 8 / 4 * 4);
    const int high_shift = static_cast<int>(group % 8 / 2 * 2);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 16; i += V::width) {
      const typename V::Int low = V::mask(V::shift_right(V::load_u8(ql + i), low_shift), 15);
      const typename V::Int high = V::mask(V::shift_right(V::load_u8(qh + i), high_shift), 3);
      sink(group * 16 + i, i / V::width, V::mul(scale, V::to_float(V::offset(V::join(low, high, 4), -32))));
    }
  }
}

template <typename V, typename Sink>
void decode_iq4_xs(const std::byte* block, Sink sink) {
  using At = block_layout::Iq4Xs;
  const float d = V::half(block + At::d);
  for (std::size_t group = 0; group < 8; ++group) {
    const int packed = block_detail::iq4_xs_scale(block, group);
    const typename V::Reg scale = V::set1(d * static_cast<float>(packed));
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 32; i += V::width) {
      const typename V::Int q = nibbles<V>(block + At::qs + group * 16, i);
      sink(group * 32 + i, i / V::width, V::mul(scale, V::lookup(kIq4Table.values, q)));
    }
  }
}

/// For plain floats: what the vectors are tested against.
template <DType kType, typename Sink>
void decode_scalars(const std::byte* block, Sink sink) {
  float values[kBlockElements<kType>];
  decode_block(kType, block, values);
  for (std::size_t at = 0; at < kBlockElements<kType>; at += 4)
    for (std::size_t i = 0; i < 4; ++i) sink(at + i, i, values[at + i]);
}

template <typename V, DType kType, typename Sink>
void decode_vectors(const std::byte* block, Sink sink) {
  if constexpr (V::width == 1) {
    decode_scalars<kType>(block, sink);
  } else {
    if constexpr (kBlockElements<kType> == 32) decode_32<V, kType>(block, sink);
    if constexpr (kType == DType::q2_k) decode_q2_k<V>(block, sink);
    if constexpr (kType == DType::q3_k) decode_q3_k<V>(block, sink);
    if constexpr (kType == DType::q4_k || kType == DType::q5_k) decode_q45_k<V, kType>(block, sink);
    if constexpr (kType == DType::q6_k) decode_q6_k<V>(block, sink);
    if constexpr (kType == DType::iq4_xs) decode_iq4_xs<V>(block, sink);
  }
}

template <typename V, DType kType>
float dot_blocks(const std::byte* w, const float* x, std::size_t n) {
  typename V::Reg sum[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
  for (const float* const end = x + n; x != end; x += kBlockElements<kType>, w += kBlockBytes<kType>)
    decode_vectors<V, kType>(w, [&](std::size_t at, std::size_t vector, typename V::Reg values) {
      sum[vector] = V::fma(values, V::load(x + at), sum[vector]);
    });
  return V::sum(V::add(V::add(sum[0], sum[1]), V::add(sum[2], sum[3])));
}

template <typename V, DType kType>
void axpy_blocks(float a, const std::byte* w, float* y, std::size_t n) {
  const typename V::Reg factor = V::set1(a);
  for (const float* const end = y + n; y != end; y += kBlockElements<kType>, w += kBlockBytes<kType>)
    decode_vectors<V, kType>(w, [&](std::size_t at, std::size_t, typename V::Reg values) {
      V::store(y + at, V::fma(factor, values, V::load(y + at)));
    });
}

template <typename V, DType kType>
void decode_blocks(const std::byte* w, float* y, std::size_t n) {
  for (const float* const end = y + n; y != end; y += kBlockElements<kType>, w += kBlockBytes<kType>)
    decode_vectors<V, kType>(
        w, [&](std::size_t at, std::size_t, typename V::Reg values) { V::store(y + at, values); });
}

}  // namespace
}  // namespace mla
