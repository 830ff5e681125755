// What attention over a cache of bf16 needs besides multiplying panels, one implementation per instruction set.
//
// Sixteen query rows are a panel (packed/panel.h, BF16) that the keys' rows are multiplied by: scores [keys][16], a
// lane for each query row. Values of a block of keys become panels as well, of 16 of their columns, that the rows of
// probabilities are multiplied by. Scores are logarithms to base 2: the queries' scale has log2(e) in it.
//
// Softmax goes by blocks of keys, each on its own; blocks are then merged in their order (Milakov and Gimelshein 2018,
// Online normalizer calculation for softmax; Dao et al. 2022, FlashAttention). Keys that a row does not see have
// probability 0 and change no bit of its result, however many there are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"
#include "packed/ahead.h"

namespace mla {

/// Query rows beside each other.
inline constexpr std::size_t kLanes = 16;

/// Scores of one block of keys to probabilities.
struct SoftmaxJob {
  const float* scores = nullptr;  ///< [keys][stride], of which kLanes are this job's.
  std::size_t stride = 0;
  std::size_t keys = 0;
  const float* begin = nullptr;  ///< [kLanes]: a lane sees the keys from `begin`
  const float* end = nullptr;    ///< to before `end`, which is at most `keys`. Whole numbers.
  /// [kLanes][probability_stride] bf16: 2^(score - largest), rounded to nearest, 0 where a key is not seen and from
  /// there up to a multiple of 32 keys. Aligned to 64 bytes, as is the stride.
  std::byte* probabilities = nullptr;
  std::size_t probability_stride = 0;  ///< Bytes.
  float* largest = nullptr;            ///< [kLanes]: of the scores seen, or kNothingSeen.
  float* sum = nullptr;                ///< [kLanes]: of the rounded probabilities.
  Ahead ahead = {};                    ///< A step is a pair of keys.
};

/// The largest score of no scores: finite, so that differences are numbers.
inline constexpr float kNothingSeen = -3.4028234664e+38F;

/// What merging two results makes of each: both are multiplied by a power of 2 that brings them to the same largest
/// score.
struct MergeFactors {
  alignas(64) float old[kLanes];
  alignas(64) float added[kLanes];
};

struct AttentionKernels {
  /// `count` (at most kLanes) rows of `cols` floats, each times `scale`, as a panel of bf16 [cols, up to a multiple of
  /// 32, / 2][16][2]; what is missing is 0. `panel` is aligned to 64 bytes.
  void (*pack_rows)(const float* const* rows, std::size_t count, std::size_t cols, float scale,
                    std::byte* panel);

  /// Values of `keys` keys as panels of 16 columns each, `panel_bytes` apart: [keys, up to a multiple of 32, / 2][16][2];
  /// what is missing is 0. Rows are bf16 with zeros up to a multiple of 16 columns, `stride` bytes apart. A step of
  /// `ahead` is a pair of keys.
  void (*interleave)(const std::byte* rows, std::size_t stride, std::size_t keys, std::size_t cols,
                     std::byte* panels, std::size_t panel_bytes, Ahead ahead);
  /// The same from floats, rounded, `stride` floats apart, `cols` of them there.
  void (*interleave_floats)(const float* rows, std::size_t stride, std::size_t keys, std::size_t cols,
                            std::byte* panels, std::size_t panel_bytes);

  /// to[col * stride + lane] += factor * rows[lane][col] for the first `count` lanes, in one fused step; the other lanes
  /// keep their values.
  void (*add_columns)(const float* const* rows, std::size_t count, std::size_t cols, float factor, float* to,
                      std::size_t stride);

  void (*softmax)(const SoftmaxJob& job);

  /// Takes a block's largest scores and sums into those of all blocks before it.
  void (*merge_sums)(float* largest, float* sum, const float* block_largest, const float* block_sum,
                     MergeFactors& factors);
  /// out[row][i] = added * block[row][i] + old * out[row][i] for the first `rows` lanes.
  void (*merge_rows)(float* const* out, std::size_t rows, std::size_t cols, const float* block,
                     std::size_t block_stride, const MergeFactors& factors);
  /// x[i] *= factor
  void (*scale)(float* x, std::size_t n, float factor);
};

/// The implementation that runs on `isa`: of its own or the next plainer one's.
const AttentionKernels& attention_kernels(Isa isa);

extern const AttentionKernels kScalarAttention;
#if defined(__x86_64__)
extern const AttentionKernels kAvx2Attention;
extern const AttentionKernels kAvx512Attention;
#elif defined(__aarch64__)
extern const AttentionKernels kNeonAttention;
#endif

}  // namespace mla
