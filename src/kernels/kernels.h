// The hot loops, one implementation per instruction set behind one table.
//
// All arithmetic is float32 with float32 accumulation; only the order of additions differs between
// instruction sets. Weight pointers need no alignment. `n` may be any number, zero included; where weights are of a
// quantized type it is a multiple of their block's elements, and `w` is at the beginning of a block.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "kernels/isa.h"
#include "tensor/dtype.h"

namespace mla {

inline constexpr std::size_t kMostPanelCols = 32;

struct Kernels {
  const char* name;  ///< "scalar", "avx2", "avx512" or "neon".

  /// Indexed by DType, all types filled in; FP8 values are taken as stored, a BlockScale is the caller's.
  /// sum_i decode(w)[i] * x[i]
  std::array<float (*)(const std::byte* w, const float* x, std::size_t n), kDTypeTraits.size()> dot;
  /// y[i] += a * decode(w)[i]
  std::array<void (*)(float a, const std::byte* w, float* y, std::size_t n), kDTypeTraits.size()> axpy;
  /// y[i] = decode(w)[i], to the last bit what decode_row (tensor/decode.h) gives.
  std::array<void (*)(const std::byte* w, float* y, std::size_t n), kDTypeTraits.size()> decode;

  float (*sum_of_squares)(const float* x, std::size_t n);
  /// y[i] = (x[i] * s) * w[i]; y may be x.
  void (*scale_multiply)(const float* x, float s, const float* w, float* y, std::size_t n);
  /// y[i] = silu(gate[i]) * up[i] with silu(v) = v / (1 + exp(-v)); y may be gate.
  void (*silu_multiply)(const float* gate, const float* up, float* y, std::size_t n);
  /// x = softmax(x) in place: exp(x - max) / sum.
  void (*softmax)(float* x, std::size_t n);

  /// c[i, j] += sum_k a[i, k] * b[k, j] for `rows` rows of a and c and the first `cols` <= panel_cols
  /// columns. `panel` is b with rows of panel_cols floats, 64-byte aligned, zero beyond `cols`. For each
  /// element the products are added in the order of k, so that the sum depends neither on `rows` nor on
  /// `cols`.
  void (*multiply_panel)(const float* a, std::size_t a_stride, std::size_t rows, const float* panel,
                         std::size_t k, float* c, std::size_t c_stride, std::size_t cols);
  std::size_t panel_cols;  ///< At most kMostPanelCols.

  /// Whether matrices are always multiplied by multiply_panel, never by OpenBLAS, so that equal rows give
  /// equal results to the last bit wherever they stand in a matrix of kGemmRows rows or more.
  bool by_panels = false;

  float dot_f32(const float* a, const float* b, std::size_t n) const {
    return dot[static_cast<std::size_t>(DType::f32)](reinterpret_cast<const std::byte*>(a), b, n);
  }
  void axpy_f32(float a, const float* x, float* y, std::size_t n) const {
    axpy[static_cast<std::size_t>(DType::f32)](a, reinterpret_cast<const std::byte*>(x), y, n);
  }
};

/// The implementation that runs on `isa`: of its own or the next plainer one's.
const Kernels& kernels_for(Isa isa);

/// The different implementations this processor can run, plainest first; there is always "scalar".
std::span<const Kernels* const> available_kernels();

/// kernels_for(chosen_isa()).
const Kernels& best_kernels();

/// kernels_for(isa_named(name)).
const Kernels& kernels_named(std::string_view name);

}  // namespace mla
