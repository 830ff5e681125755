// Plain C++: sixteen floats in an array.
#include <bit>
#include <cmath>

#include "packed/attention_vector.h"

namespace mla {
namespace {

struct Sixteen {
  struct Reg {
    float v[16];
  };
  struct Mask {
    bool v[16];
  };

  template <typename Function>
  static Reg each(Function function) {
    Reg result;
    for (std::size_t i = 0; i < 16; ++i) result.v[i] = function(i);
    return result;
  }

  static Reg zero() { return set1(0.0F); }
  static Reg set1(float x) {
    return each([&](std::size_t) { return x; });
  }
  static Reg load(const float* p) { return load_first(p, 16); }
  static void store(float* p, const Reg& x) { store_first(p, 16, x); }
  static Reg load_first(const float* p, std::size_t n) {
    Reg result{};
    std::memcpy(result.v, p, n * sizeof(float));
    return result;
  }
  static void store_first(float* p, std::size_t n, const Reg& x) { std::memcpy(p, x.v, n * sizeof(float)); }
  static Reg add(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.v[i] + b.v[i]; });
  }
  static Reg sub(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.v[i] - b.v[i]; });
  }
  static Reg mul(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.v[i] * b.v[i]; });
  }
  static Reg fma(const Reg& a, const Reg& b, const Reg& c) {
    return each([&](std::size_t i) { return std::fma(a.v[i], b.v[i], c.v[i]); });
  }
  static Reg max(const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static Mask between(const Reg& x, const Reg& begin, const Reg& end) {
    Mask mask;
    for (std::size_t i = 0; i < 16; ++i) mask.v[i] = x.v[i] >= begin.v[i] && x.v[i] < end.v[i];
    return mask;
  }
  static Reg select(const Mask& mask, const Reg& a, const Reg& b) {
    return each([&](std::size_t i) { return mask.v[i] ? a.v[i] : b.v[i]; });
  }

  static Reg clamp(const Reg& x) {
    return each([&](std::size_t i) { return x.v[i] < -126.0F ? -126.0F : x.v[i]; });
  }
  static Reg fraction(const Reg& x) {
    return each([&](std::size_t i) { return x.v[i] - std::floor(x.v[i]); });
  }
  static Reg power(const Reg& p, const Reg& x) {
    return each([&](std::size_t i) {
      if (!(x.v[i] < 128.0F))
        return p.v[i] * x.v[i];  // Not a number: differences to the largest are not positive.
      const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(std::floor(x.v[i])) + 127);
      return p.v[i] * std::bit_cast<float>(exponent << 23);
    });
  }
  static Reg half_up(const Reg& x) {
    return each([&](std::size_t i) {
      return std::bit_cast<float>((std::bit_cast<std::uint32_t>(x.v[i]) + 0x8000U) & 0xffff0000U);
    });
  }
  static Reg nearest(const Reg& x) {
    return each([&](std::size_t i) {
      const std::uint32_t bits = std::bit_cast<std::uint32_t>(x.v[i]);
      if (x.v[i] != x.v[i]) return std::bit_cast<float>((bits | 0x400000U) & 0xffff0000U);
      return std::bit_cast<float>((bits + 0x7fffU + (bits >> 16 & 1U)) & 0xffff0000U);
    });
  }
  static void store_pairs(std::byte* to, const Reg& even, const Reg& odd) {
    std::uint32_t pairs[16];
    for (std::size_t i = 0; i < 16; ++i)
      pairs[i] = std::bit_cast<std::uint32_t>(even.v[i]) >> 16 | std::bit_cast<std::uint32_t>(odd.v[i]);
    std::memcpy(to, pairs, sizeof pairs);
  }
  static void store_bf16(std::byte* to, const Reg& x) {
    std::uint16_t bits[16];
    for (std::size_t i = 0; i < 16; ++i)
      bits[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x.v[i]) >> 16);
    std::memcpy(to, bits, sizeof bits);
  }
  static void interleave(const std::byte* even, const std::byte* odd, std::byte* to) {
    for (std::size_t i = 0; i < 16; ++i) {
      std::memcpy(to + 4 * i, even + 2 * i, 2);
      std::memcpy(to + 4 * i + 2, odd + 2 * i, 2);
    }
  }
  static void transpose(const std::byte* from, std::byte* to, std::size_t stride) {
    for (std::size_t i = 0; i < 16; ++i)
      for (std::size_t j = 0; j < 16; ++j) std::memcpy(to + j * stride + 4 * i, from + i * 64 + 4 * j, 4);
  }
};

}  // namespace

constinit const AttentionKernels kScalarAttention = make_attention_kernels<Sixteen>();

}  // namespace mla
