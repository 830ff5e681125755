#include "tensor/decode_block.h"

#include <cassert>
#include <cstdint>

#include "tensor/blocks.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

using namespace block_detail;

float half_at(const std::byte* from) {
  return f16_to_float(load_unaligned<std::uint16_t>(from));
}

/// y[i] = d * (q[i] + shift) for the 32 nibbles of qs[16].
void decode_nibbles(const std::byte* qs, float d, int shift, float* y) {
  for (std::size_t i = 0; i < 16; ++i) {
    y[i] = d * static_cast<float>((byte_at(qs, i) & 15) + shift);
    y[i + 16] = d * static_cast<float>((byte_at(qs, i) >> 4) + shift);
  }
}

/// The 32 numbers of 5 bits of Q5_0 and Q5_1.
void unpack_fives(const std::byte* qh, const std::byte* qs, int* q) {
  const std::uint32_t high = u16_at(qh, 0) | u16_at(qh, 2) << 16;
  for (unsigned i = 0; i < 16; ++i) {
    q[i] = (byte_at(qs, i) & 15) | static_cast<int>((high >> i & 1U) << 4);
    q[i + 16] = byte_at(qs, i) >> 4 | static_cast<int>((high >> (i + 16) & 1U) << 4);
  }
}

void decode_q8_0(const std::byte* block, float* y) {
  using At = block_layout::Q8_0;
  const float d = half_at(block + At::d);
  for (std::size_t i = 0; i < 32; ++i) y[i] = d * static_cast<float>(int8_at(block, At::qs + i));
}

void decode_q4_0(const std::byte* block, float* y) {
  using At = block_layout::Q4_0;
  decode_nibbles(block + At::qs, half_at(block + At::d), -8, y);
}

void decode_q4_1(const std::byte* block, float* y) {
  using At = block_layout::Q4_1;
  const float m = half_at(block + At::m);
  decode_nibbles(block + At::qs, half_at(block + At::d), 0, y);
  for (std::size_t i = 0; i < 32; ++i) y[i] += m;
}

void decode_q5_0(const std::byte* block, float* y) {
  using At = block_layout::Q5_0;
  const float d = half_at(block + At::d);
  int q[32] = {};
  unpack_fives(block + At::qh, block + At::qs, q);
  for (std::size_t i = 0; i < 32; ++i) y[i] = d * static_cast<float>(q[i] - 16);
}

void decode_q5_1(const std::byte* block, float* y) {
  using At = block_layout::Q5_1;
  const float d = half_at(block + At::d);
  const float m = half_at(block + At::m);
  int q[32] = {};
  unpack_fives(block + At::qh, block + At::qs, q);
  for (std::size_t i = 0; i < 32; ++i) y[i] = d * static_cast<float>(q[i]) + m;
}

void decode_q2_k(const std::byte* block, float* y) {
  using At = block_layout::Q2_K;
  const float d = half_at(block + At::d);
  const float dmin = half_at(block + At::dmin);
  for (std::size_t group = 0; group < 16; ++group) {
    const int packed = byte_at(block, At::scales + group);
    const float scale = d * static_cast<float>(packed & 15);
    const float min = dmin * static_cast<float>(packed >> 4);
    const std::byte* const qs = block + At::qs + group / 8 * 32 + group % 2 * 16;
    const int shift = static_cast<int>(group % 8 / 2 * 2);
    for (std::size_t i = 0; i < 16; ++i)
      y[group * 16 + i] = scale * static_cast<float>(byte_at(qs, i) >> shift & 3) - min;
  }
}

void decode_q3_k(const std::byte* block, float* y) {
  using At = block_layout::Q3_K;
  const float d = half_at(block + At::d);
  for (std::size_t group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(q3_k_scale(block + At::scales, group));
    const std::byte* const qs = block + At::qs + group / 8 * 32 + group % 2 * 16;
    const std::byte* const hmask = block + At::hmask + group % 2 * 16;
    const int shift = static_cast<int>(group % 8 / 2 * 2);
    const int bit = static_cast<int>(group / 2);
    for (std::size_t i = 0; i < 16; ++i) {
      const int q = (byte_at(qs, i) >> shift & 3) | (byte_at(hmask, i) >> bit & 1) << 2;
      y[group * 16 + i] = scale * static_cast<float>(q - 4);
    }
  }
}

void decode_q4_k(const std::byte* block, float* y) {
  using At = block_layout::Q4_K;
  const float d = half_at(block + At::d);
  const float dmin = half_at(block + At::dmin);
  for (std::size_t group = 0; group < 8; ++group) {
    const ScaleAndMin packed = scale_and_min(block + At::scales, group);
    const float scale = d * static_cast<float>(packed.scale);
    const float min = dmin * static_cast<float>(packed.min);
    const std::byte* const qs = block + At::qs + group / 2 * 32;
    const int shift = static_cast<int>(group % 2 * 4);
    for (std::size_t i = 0; i < 32; ++i)
      y[group * 32 + i] = scale * static_cast<float>(byte_at(qs, i) >> shift & 15) - min;
  }
}

void decode_q5_k(const std::byte* block, float* y) {
  using At = block_layout::Q5_K;
  const float d = half_at(block + At::d);
  const float dmin = half_at(block + At::dmin);
  const std::byte* const qh = block + At::qh;
  for (std::size_t group = 0; group < 8; ++group) {
    const ScaleAndMin packed = scale_and_min(block + At::scales, group);
    const float scale = d * static_cast<float>(packed.scale);
    const float min = dmin * static_cast<float>(packed.min);
    const std::byte* const qs = block + At::qs + group / 2 * 32;
    const int shift = static_cast<int>(group % 2 * 4);
    const int bit = static_cast<int>(group);
    for (std::size_t i = 0; i < 32; ++i) {
      const int q = (byte_at(qs, i) >> shift & 15) | (byte_at(qh, i) >> bit & 1) << 4;
      y[group * 32 + i] = scale * static_cast<float>(q) - min;
    }
  }
}

void decode_q6_k(const std::byte* block, float* y) {
  using At = block_layout::Q6_K;
  const float d = half_at(block + At::d);
  for (std::size_t group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(int8_at(block, At::scales + group));
    const std::byte* const ql = block + At::ql + group / 8 * 64 + group % 4 * 16;
    const std::byte* const qh = block + At::qh + group / 8 * 32 + group % 2 * 16;
    const int low_shift = static_cast<int>(group % 8 / 4 * 4);
    const int high_shift = static_cast<int>(group % 8 / 2 * 2);
    for (std::size_t i = 0; i < 16; ++i) {
      const int q = (byte_at(ql, i) >> low_shift & 15) | (byte_at(qh, i) >> high_shift & 3) << 4;
      y[group * 16 + i] = scale * static_cast<float>(q - 32);
    }
  }
}

/// y[i] = d * kIq4Values[q[i]] for the 32 nibbles of qs[16].
void decode_iq4(const std::byte* qs, float d, float* y) {
  for (std::size_t i = 0; i < 16; ++i) {
    y[i] = d * static_cast<float>(kIq4Values[byte_at(qs, i) & 15]);
    y[i + 16] = d * static_cast<float>(kIq4Values[byte_at(qs, i) >> 4]);
  }
}

void decode_iq4_nl(const std::byte* block, float* y) {
  using At = block_layout::Iq4Nl;
  decode_iq4(block + At::qs, half_at(block + At::d), y);
}

void decode_iq4_xs(const std::byte* block, float* y) {
  using At = block_layout::Iq4Xs;
  const float d = half_at(block + At::d);
  for (std::size_t group = 0; group < 8; ++group)
    decode_iq4(block + At::qs + group * 16, d * static_cast<float>(iq4_xs_scale(block, group)),
               y + group * 32);
}

}  // namespace

void decode_block(DType dtype, const std::byte* block, float* y) {
  switch (dtype) {
    case DType::q8_0:
      return decode_q8_0(block, y);
    case DType::q4_0:
      return decode_q4_0(block, y);
    case DType::q4_1:
      return decode_q4_1(block, y);
    case DType::q5_0:
      return decode_q5_0(block, y);
    case DType::q5_1:
      return decode_q5_1(block, y);
    case DType::q2_k:
      return decode_q2_k(block, y);
    case DType::q3_k:
      return decode_q3_k(block, y);
    case DType::q4_k:
      return decode_q4_k(block, y);
    case DType::q5_k:
      return decode_q5_k(block, y);
    case DType::q6_k:
      return decode_q6_k(block, y);
    case DType::iq4_nl:
      return decode_iq4_nl(block, y);
    case DType::iq4_xs:
      return decode_iq4_xs(block, y);
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f8_e4m3:
      break;
  }
  assert(!"a plain type has no blocks");
}

}  // namespace mla
