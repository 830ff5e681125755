// The kernels written once over a vector type V; each instruction set's file supplies V and includes this.
//
// V has: Reg (a vector of `width` floats), gemm_rows (so that 2 * gemm_rows sums fit its registers), zero,
// set1, load, store, add, sub, mul, div, fma (a * b + c), min, max (both give the second operand if one is
// NaN), round (to nearest), pow2 (2^n for an integral float n in
// [-126, 128]; 2^128 is infinity), sum, largest, and load_f16 / load_bf16 / load_f8 that widen `width` stored values.
// block_kernels.h says what it has for quantized weights.
//
// Everything is in an unnamed namespace and nothing from the standard library is instantiated here: code
// compiled for a newer processor must never be merged by the linker into what an older one runs.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "kernels/block_kernels.h"
#include "kernels/kernels.h"

namespace mla {
namespace {

template <typename V, DType kType>
typename V::Reg load_weights(const std::byte* w) {
  if constexpr (kType == DType::f32) return V::load(reinterpret_cast<const float*>(w));
  if constexpr (kType == DType::f16) return V::load_f16(w);
  if constexpr (kType == DType::bf16) return V::load_bf16(w);
  if constexpr (kType == DType::f8_e4m3) return V::load_f8(w);
}

template <DType kType>
constexpr std::size_t bytes_each() {
  return kType == DType::f32 ? 4 : kType == DType::f8_e4m3 ? 1 : 2;
}

/// The last n < width values, the rest zero.
template <typename V>
typename V::Reg load_tail(const float* x, std::size_t n) {
  float padded[V::width] = {};
  std::memcpy(padded, x, n * sizeof(float));
  return V::load(padded);
}

template <typename V, DType kType>
typename V::Reg load_weights_tail(const std::byte* w, std::size_t n) {
  std::byte padded[V::width * bytes_each<kType>()] = {};
  std::memcpy(padded, w, n * bytes_each<kType>());
  return load_weights<V, kType>(padded);
}

template <typename V>
void store_tail(float* y, typename V::Reg value, std::size_t n) {
  float padded[V::width];
  V::store(padded, value);
  std::memcpy(y, padded, n * sizeof(float));
}

template <typename V, DType kType>
float dot(const std::byte* w, const float* x, std::size_t n) {
  constexpr std::size_t kWidth = V::width;
  constexpr std::size_t kBytes = bytes_each<kType>();
  // Four sums hide the latency of the multiply-add unit.
  typename V::Reg sum[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
  std::size_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth)
    for (std::size_t j = 0; j < 4; ++j)
      sum[j] =
          V::fma(load_weights<V, kType>(w + (i + j * kWidth) * kBytes), V::load(x + i + j * kWidth), sum[j]);
  for (; i + kWidth <= n; i += kWidth)
    sum[0] = V::fma(load_weights<V, kType>(w + i * kBytes), V::load(x + i), sum[0]);
  if (i < n)
    sum[1] = V::fma(load_weights_tail<V, kType>(w + i * kBytes, n - i), load_tail<V>(x + i, n - i), sum[1]);
  return V::sum(V::add(V::add(sum[0], sum[1]), V::add(sum[2], sum[3])));
}

template <typename V, DType kType>
void axpy(float a, const std::byte* w, float* y, std::size_t n) {
  const typename V::Reg factor = V::set1(a);
  std::size_t i = 0;
  for (; i + V::width <= n; i += V::width)
    V::store(y + i, V::fma(factor, load_weights<V, kType>(w + i * bytes_each<kType>()), V::load(y + i)));
  if (i < n)
    store_tail<V>(y + i,
                  V::fma(factor, load_weights_tail<V, kType>(w + i * bytes_each<kType>(), n - i),
                         load_tail<V>(y + i, n - i)),
                  n - i);
}

template <typename V, DType kType>
void decode(const std::byte* w, float* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + V::width <= n; i += V::width)
    V::store(y + i, load_weights<V, kType>(w + i * bytes_each<kType>()));
  if (i < n) store_tail<V>(y + i, load_weights_tail<V, kType>(w + i * bytes_each<kType>(), n - i), n - i);
}

template <typename V>
float sum_of_squares(const float* x, std::size_t n) {
  return dot<V, DType::f32>(reinterpret_cast<const std::byte*>(x), x, n);
}

template <typename V>
void scale_multiply(const float* x, float s, const float* w, float* y, std::size_t n) {
  const typename V::Reg scale = V::set1(s);
  std::size_t i = 0;
  for (; i + V::width <= n; i += V::width)
    V::store(y + i, V::mul(V::mul(V::load(x + i), scale), V::load(w + i)));
  if (i < n)
    store_tail<V>(y + i, V::mul(V::mul(load_tail<V>(x + i, n - i), scale), load_tail<V>(w + i, n - i)),
                  n - i);
}

/// e^x: x = n ln2 + r with |r| <= ln2 / 2, e^r by its minimax polynomial (the coefficients of Cephes' expf,
/// S. Moshier), then a step of n in the exponent. Relative error below 2e-7 from the lower limit to 88.37;
/// below it the result is e^-87.3, 1.2e-38, above it infinity.
template <typename V>
typename V::Reg exponential(typename V::Reg x) {
  x = V::max(V::set1(-87.33654F), V::min(V::set1(89.0F), x));
  const typename V::Reg n = V::round(V::mul(x, V::set1(1.44269504F)));
  typename V::Reg r = V::fma(n, V::set1(-0.693359375F), x);
  r = V::fma(n, V::set1(2.12194440e-4F), r);
  typename V::Reg p = V::set1(1.9875691500e-4F);
  p = V::fma(p, r, V::set1(1.3981999507e-3F));
  p = V::fma(p, r, V::set1(8.3334519073e-3F));
  p = V::fma(p, r, V::set1(4.1665795894e-2F));
  p = V::fma(p, r, V::set1(1.6666665459e-1F));
  p = V::fma(p, r, V::set1(5.0000001201e-1F));
  p = V::add(V::fma(p, V::mul(r, r), r), V::set1(1.0F));
  return V::mul(p, V::pow2(n));
}

template <typename V>
typename V::Reg silu(typename V::Reg v) {
  const typename V::Reg one = V::set1(1.0F);
  return V::div(v, V::add(one, exponential<V>(V::sub(V::zero(), v))));
}

template <typename V>
void silu_multiply(const float* gate, const float* up, float* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + V::width <= n; i += V::width)
    V::store(y + i, V::mul(silu<V>(V::load(gate + i)), V::load(up + i)));
  if (i < n)
    store_tail<V>(y + i, V::mul(silu<V>(load_tail<V>(gate + i, n - i)), load_tail<V>(up + i, n - i)), n - i);
}

template <typename V>
void softmax(float* x, std::size_t n) {
  if (n == 0) return;
  typename V::Reg largest = V::set1(x[0]);
  std::size_t i = 0;
  for (; i + V::width <= n; i += V::width) largest = V::max(largest, V::load(x + i));
  float top = V::largest(largest);
  for (; i < n; ++i) top = x[i] > top ? x[i] : top;

  const typename V::Reg shift = V::set1(top);
  typename V::Reg sums = V::zero();
  for (i = 0; i + V::width <= n; i += V::width) {
    const typename V::Reg e = exponential<V>(V::sub(V::load(x + i), shift));
    V::store(x + i, e);
    sums = V::add(sums, e);
  }
  float total = V::sum(sums);
  if (i < n) {
    store_tail<V>(x + i, exponential<V>(V::sub(load_tail<V>(x + i, n - i), shift)), n - i);
    for (; i < n; ++i) total += x[i];
  }
  const typename V::Reg factor = V::set1(1.0F / total);
  for (i = 0; i + V::width <= n; i += V::width) V::store(x + i, V::mul(V::load(x + i), factor));
  if (i < n) store_tail<V>(x + i, V::mul(load_tail<V>(x + i, n - i), factor), n - i);
}

/// kRows rows of multiply_panel: the sums stay in registers while a and the panel go by once.
template <typename V, std::size_t kRows>
void multiply_rows(const float* a, std::size_t a_stride, const float* panel, std::size_t k, float* c,
                   std::size_t c_stride) {
  constexpr std::size_t kWidth = V::width;
  typename V::Reg sum[kRows][2];
  for (std::size_t i = 0; i < kRows; ++i) sum[i][0] = sum[i][1] = V::zero();
  for (std::size_t step = 0; step < k; ++step, panel += 2 * kWidth) {
    const typename V::Reg left = V::load(panel);
    const typename V::Reg right = V::load(panel + kWidth);
    for (std::size_t i = 0; i < kRows; ++i) {
      const typename V::Reg factor = V::set1(a[i * a_stride + step]);
      sum[i][0] = V::fma(factor, left, sum[i][0]);
      sum[i][1] = V::fma(factor, right, sum[i][1]);
    }
  }
  for (std::size_t i = 0; i < kRows; ++i) {
    float* target = c + i * c_stride;
    V::store(target, V::add(V::load(target), sum[i][0]));
    V::store(target + kWidth, V::add(V::load(target + kWidth), sum[i][1]));
  }
}

/// The remaining rows < kRows of a panel, by the multiply_rows that has just as many.
template <typename V, std::size_t kRows>
void multiply_last_rows(const float* a, std::size_t a_stride, std::size_t rows, const float* panel,
                        std::size_t k, float* c, std::size_t c_stride) {
  if constexpr (kRows > 1) {
    if (rows == kRows - 1)
      multiply_rows<V, kRows - 1>(a, a_stride, panel, k, c, c_stride);
    else
      multiply_last_rows<V, kRows - 1>(a, a_stride, rows, panel, k, c, c_stride);
  }
}

template <typename V>
void multiply_panel(const float* a, std::size_t a_stride, std::size_t rows, const float* panel, std::size_t k,
                    float* c, std::size_t c_stride, std::size_t cols) {
  constexpr std::size_t kRows = V::gemm_rows;
  constexpr std::size_t kCols = 2 * V::width;
  float edge[kRows * kCols];
  for (std::size_t row = 0; row < rows; row += kRows) {
    const std::size_t count = rows - row < kRows ? rows - row : kRows;
    float* target = c + row * c_stride;
    std::size_t stride = c_stride;
    if (cols < kCols) {  // Vectors would reach beyond c: work on a copy.
      for (std::size_t i = 0; i < count; ++i) {
        std::memset(edge + i * kCols, 0, sizeof(float) * kCols);
        std::memcpy(edge + i * kCols, target + i * c_stride, sizeof(float) * cols);
      }
      target = edge;
      stride = kCols;
    }
    if (count == kRows)
      multiply_rows<V, kRows>(a + row * a_stride, a_stride, panel, k, target, stride);
    else
      multiply_last_rows<V, kRows>(a + row * a_stride, a_stride, count, panel, k, target, stride);
    if (cols < kCols)
      for (std::size_t i = 0; i < count; ++i)
        std::memcpy(c + (row + i) * c_stride, edge + i * kCols, sizeof(float) * cols);
  }
}

template <typename V, DType kType>
constexpr auto dot_kernel() {
  if constexpr (kIsQuantized<kType>)
    return dot_blocks<V, kType>;
  else
    return dot<V, kType>;
}

template <typename V, DType kType>
constexpr auto axpy_kernel() {
  if constexpr (kIsQuantized<kType>)
    return axpy_blocks<V, kType>;
  else
    return axpy<V, kType>;
}

template <typename V, DType kType>
constexpr auto decode_kernel() {
  if constexpr (kIsQuantized<kType>)
    return decode_blocks<V, kType>;
  else
    return decode<V, kType>;
}

/// `kIndex` counts the DTypes.
template <typename V, std::size_t... kIndex>
constexpr Kernels make_kernels(const char* name, std::index_sequence<kIndex...>) {
  return Kernels{
      .name = name,
      .dot = {dot_kernel<V, static_cast<DType>(kIndex)>()...},
      .axpy = {axpy_kernel<V, static_cast<DType>(kIndex)>()...},
      .decode = {decode_kernel<V, static_cast<DType>(kIndex)>()...},
      .sum_of_squares = sum_of_squares<V>,
      .scale_multiply = scale_multiply<V>,
      .silu_multiply = silu_multiply<V>,
      .softmax = softmax<V>,
      .multiply_panel = multiply_panel<V>,
      .panel_cols = 2 * V::width,
  };
}

template <typename V>
constexpr Kernels make_kernels(const char* name) {
  return make_kernels<V>(name, std::make_index_sequence<kDTypeTraits.size()>());
}

}  // namespace
}  // namespace mla
