// The attention kernels written once over sixteen floats V; each instruction set's file supplies V and includes this.
//
// V has: Reg (sixteen floats, in one register or more), Mask, zero, set1, load, store, load_first and store_first (the
// first n < 16; the rest is 0 or stays), add, sub, mul, fma (a * b + c), max (the second operand if one is NaN),
// between (of x: begin <= x < end), select (a where the mask says so, else b), and
//   clamp      what 2^x is taken of: at least what `power` can make
//   fraction   x - floor(x)
//   power      p * 2^floor(x)
//   half_up    to bf16, for numbers that are not negative: nearest, ties up; the lower 16 bits are 0
//   nearest    to bf16: nearest, ties to even, NaN stays; the lower 16 bits are 0
//   store_pairs, store_bf16   sixteen pairs, or sixteen values, of rounded ones as bf16
//   interleave                sixteen values of bf16 of each of two rows as pairs
//   transpose                 16 x 16 words of 32 bits; rows 64 bytes apart to rows `stride` bytes apart
//
// Everything is in an unnamed namespace and nothing of the standard library is instantiated, as in
// kernels/vector_kernels.h and for the same reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "packed/attention_kernels.h"

namespace mla {
namespace {

// Both polynomials are the best of their degree for 2^r, 0 <= r < 1, by relative error, among those that are 1 at 0.

/// Relative error below 8.6e-5, a fortieth of what rounding to bf16 makes.
template <typename V>
typename V::Reg coarse_power(typename V::Reg x) {
  x = V::clamp(x);
  const typename V::Reg r = V::fraction(x);
  typename V::Reg p = V::set1(0.0770670548081398F);
  p = V::fma(p, r, V::set1(0.22764497995376587F));
  p = V::fma(p, r, V::set1(0.6951168179512024F));
  p = V::fma(p, r, V::set1(1.0F));
  return V::power(p, x);
}

/// Relative error below 3e-7 with the rounding of its own operations.
template <typename V>
typename V::Reg exact_power(typename V::Reg x) {
  x = V::clamp(x);
  const typename V::Reg r = V::fraction(x);
  typename V::Reg p = V::set1(0.0002161291631637141F);
  p = V::fma(p, r, V::set1(0.0012467845808714628F));
  p = V::fma(p, r, V::set1(0.009675451554358006F));
  p = V::fma(p, r, V::set1(0.055485282093286514F));
  p = V::fma(p, r, V::set1(0.2402293086051941F));
  p = V::fma(p, r, V::set1(0.6931470632553101F));
  p = V::fma(p, r, V::set1(1.0F));
  return V::power(p, x);
}

template <typename V>
void pack_rows(const float* const* rows, std::size_t count, std::size_t cols, float scale, std::byte* panel) {
  alignas(64) std::byte pairs[kLanes * 64] = {};  // [row][16 pairs of columns]
  const typename V::Reg factor = V::set1(scale);
  for (std::size_t col = 0; col < cols; col += 32, panel += kLanes * 64) {
    for (std::size_t row = 0; row < count; ++row) {
      const float* x = rows[row] + col;
      float padded[32];
      if (cols - col < 32) {
        std::memset(padded, 0, sizeof padded);
        std::memcpy(padded, x, (cols - col) * sizeof(float));
        x = padded;
      }
      for (std::size_t half = 0; half < 2; ++half)
        V::store_bf16(pairs + row * 64 + half * 32, V::nearest(V::mul(V::load(x + half * 16), factor)));
    }
    V::transpose(pairs, panel, 64);
  }
}

/// Some lines into the second cache.
void fetch(Ahead& ahead) {
  for (std::size_t line = 0; line < ahead.lines && ahead.next < ahead.end; ++line, ahead.next += 64)
    __builtin_prefetch(ahead.next, 0, 2);
}

template <typename V>
void interleave(const std::byte* rows, std::size_t stride, std::size_t keys, std::size_t cols,
                std::byte* panels, std::size_t panel_bytes, Ahead ahead) {
  alignas(64) const std::byte nothing[32] = {};
  const std::size_t pairs = (keys + 31) / 32 * 16;
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    const std::size_t key = 2 * pair;
    std::byte* to = panels + pair * 64;
    if (key >= keys) {
      for (std::size_t col = 0; col < cols; col += 16, to += panel_bytes) std::memset(to, 0, 64);
      continue;
    }
    fetch(ahead);
    const std::byte* even = rows + key * stride;
    for (std::size_t col = 0; col < cols; col += 16, to += panel_bytes)
      V::interleave(even + 2 * col, key + 1 < keys ? even + stride + 2 * col : nothing, to);
  }
}

template <typename V>
typename V::Reg load_up_to(const float* x, std::size_t n) {
  return n >= 16 ? V::load(x) : V::load_first(x, n);
}

template <typename V>
void interleave_floats(const float* rows, std::size_t stride, std::size_t keys, std::size_t cols,
                       std::byte* panels, std::size_t panel_bytes) {
  const std::size_t pairs = (keys + 31) / 32 * 16;
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    const std::size_t key = 2 * pair;
    const float* even = rows + key * stride;
    std::byte* to = panels + pair * 64;
    for (std::size_t col = 0; col < cols; col += 16, to += panel_bytes) {
      const std::size_t n = cols - col;
      V::store_pairs(to, key < keys ? V::nearest(load_up_to<V>(even + col, n)) : V::zero(),
                     key + 1 < keys ? V::nearest(load_up_to<V>(even + stride + col, n)) : V::zero());
    }
  }
}

template <typename V>
void add_columns(const float* const* rows, std::size_t count, std::size_t cols, float factor, float* to,
                 std::size_t stride) {
  alignas(64) std::byte across[kLanes * 64] = {};  // [row][16 columns]
  alignas(64) std::byte down[kLanes * 64];         // [column][16 rows]
  const typename V::Reg f = V::set1(factor);
  for (std::size_t col = 0; col < cols; col += 16, to += 16 * stride) {
    const std::size_t n = cols - col < 16 ? cols - col : 16;
    for (std::size_t row = 0; row < count; ++row)
      V::store(reinterpret_cast<float*>(across + row * 64), load_up_to<V>(rows[row] + col, n));
    V::transpose(across, down, 64);
    for (std::size_t i = 0; i < n; ++i) {
      float* at = to + i * stride;
      V::store(at, V::fma(f, V::load(reinterpret_cast<const float*>(down + i * 64)), V::load(at)));
    }
  }
}

/// The keys that all lanes see, and the whole numbers of each lane.
template <typename V>
struct Visible {
  std::size_t first = 0;
  std::size_t last;
  typename V::Reg begin;
  typename V::Reg end;

  explicit Visible(const SoftmaxJob& job) : last(job.keys), begin(V::load(job.begin)), end(V::load(job.end)) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto from = static_cast<std::size_t>(job.begin[lane]);
      const auto to = static_cast<std::size_t>(job.end[lane]);
      first = from > first ? from : first;
      last = to < last ? to : last;
    }
  }
  bool all(std::size_t key, std::size_t count) const { return key >= first && key + count <= last; }
  typename V::Mask of(std::size_t key) const {
    return V::between(V::set1(static_cast<float>(key)), begin, end);
  }
};

template <typename V>
typename V::Reg largest_score(const SoftmaxJob& job, const Visible<V>& visible) {
  const typename V::Reg nothing = V::set1(kNothingSeen);
  typename V::Reg largest[4] = {nothing, nothing, nothing, nothing};
  std::size_t key = 0;
  while (key < job.keys) {
    if (visible.all(key, 4)) {
      for (std::size_t i = 0; i < 4; ++i)
        largest[i] = V::max(V::load(job.scores + (key + i) * job.stride), largest[i]);
      key += 4;
    } else {
      const typename V::Reg score = V::load(job.scores + key * job.stride);
      largest[0] = V::max(V::select(visible.of(key), score, nothing), largest[0]);
      ++key;
    }
  }
  return V::max(V::max(largest[0], largest[1]), V::max(largest[2], largest[3]));
}

template <typename V>
void softmax_block(const SoftmaxJob& job) {
  const Visible<V> visible(job);
  const typename V::Reg largest = largest_score(job, visible);
  typename V::Reg sum = V::zero();
  alignas(64) std::byte pairs[16 * 64];  // [pair of keys][lane]
  const auto probability = [&](std::size_t key) {
    return V::half_up(coarse_power<V>(V::sub(V::load(job.scores + key * job.stride), largest)));
  };
  const auto masked = [&](std::size_t key) {
    return key < job.keys ? V::select(visible.of(key), probability(key), V::zero()) : V::zero();
  };
  Ahead ahead = job.ahead;
  for (std::size_t group = 0; group < job.keys; group += 32) {
    if (visible.all(group, 32)) {
      for (std::size_t key = 0; key < 32; key += 2) {
        fetch(ahead);
        const typename V::Reg even = probability(group + key);
        const typename V::Reg odd = probability(group + key + 1);
        sum = V::add(sum, V::add(even, odd));
        V::store_pairs(pairs + key * 32, even, odd);
      }
    } else {
      for (std::size_t key = 0; key < 32; key += 2) {
        const typename V::Reg even = masked(group + key);
        const typename V::Reg odd = masked(group + key + 1);
        sum = V::add(sum, V::add(even, odd));
        V::store_pairs(pairs + key * 32, even, odd);
      }
    }
    V::transpose(pairs, job.probabilities + group * 2, job.probability_stride);
  }
  V::store(job.largest, largest);
  V::store(job.sum, sum);
}

template <typename V>
void merge_sums(float* largest, float* sum, const float* block_largest, const float* block_sum,
                MergeFactors& factors) {
  const typename V::Reg before = V::load(largest);
  const typename V::Reg of_block = V::load(block_largest);
  const typename V::Reg both = V::max(before, of_block);
  const typename V::Reg old = exact_power<V>(V::sub(before, both));
  const typename V::Reg added = exact_power<V>(V::sub(of_block, both));
  V::store(largest, both);
  V::store(sum, V::fma(added, V::load(block_sum), V::mul(old, V::load(sum))));
  V::store(factors.old, old);
  V::store(factors.added, added);
}

template <typename V>
void merge_rows(float* const* out, std::size_t rows, std::size_t cols, const float* block,
                std::size_t block_stride, const MergeFactors& factors) {
  for (std::size_t row = 0; row < rows; ++row) {
    const typename V::Reg old = V::set1(factors.old[row]);
    const typename V::Reg added = V::set1(factors.added[row]);
    const float* from = block + row * block_stride;
    float* to = out[row];
    std::size_t col = 0;
    for (; col + 16 <= cols; col += 16)
      V::store(to + col, V::fma(added, V::load(from + col), V::mul(old, V::load(to + col))));
    if (const std::size_t n = cols - col; n > 0)
      V::store_first(to + col, n,
                     V::fma(added, V::load_first(from + col, n), V::mul(old, V::load_first(to + col, n))));
  }
}

template <typename V>
void scale_values(float* x, std::size_t n, float factor) {
  const typename V::Reg f = V::set1(factor);
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) V::store(x + i, V::mul(V::load(x + i), f));
  if (i < n) V::store_first(x + i, n - i, V::mul(V::load_first(x + i, n - i), f));
}

template <typename V>
constexpr AttentionKernels make_attention_kernels() {
  return {.pack_rows = pack_rows<V>,
          .interleave = interleave<V>,
          .interleave_floats = interleave_floats<V>,
          .add_columns = add_columns<V>,
          .softmax = softmax_block<V>,
          .merge_sums = merge_sums<V>,
          .merge_rows = merge_rows<V>,
          .scale = scale_values<V>};
}

}  // namespace
}  // namespace mla
