// y = x W^T + b, with the weights left in the file's own type.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "nn/workspace.h"
#include "tensor/matrix.h"
#include "tensor/view.h"

namespace mla {

/// From this many activation rows on a weight matrix is decoded to float32 once and multiplied by `sgemm`;
/// below, each weight is decoded in registers as it is used.
inline constexpr std::size_t kGemmRows = 4;

/// sum_i W[row, i] * x[i]
float dot_row(const WeightView& weight, std::size_t row, const float* x, const Kernels& kernels);

/// y[i] += a * W[row, i]
void add_row(float a, const WeightView& weight, std::size_t row, float* y, const Kernels& kernels);

/// Rows [first, first + count) as float32 in `out` [count, cols].
void decode_rows(const WeightView& weight, std::size_t first, std::size_t count, float* out,
                 const Kernels& kernels);

/// How a weight matrix lies: a row for each output feature, as in torch's Linear, or for each input feature, as in
/// GPT-2's Conv1D.
enum class LinearLayout { output_major, input_major };

/// The work is cut into tiles of output features whose size depends on the shape alone: any number of threads
/// gives the same bits.
class Linear {
 public:
  Linear() = default;
  /// weight [out_features, in_features]; bias is empty or [out_features].
  explicit Linear(WeightView weight, std::vector<float> bias = {});
  /// Output features [first, first + count) of a weight [in_features, some output features] without block scales, of
  /// a type whose elements lie one by one; used as it lies. bias is empty or [count].
  static Linear input_major(WeightView weight, std::size_t first, std::size_t count,
                            std::vector<float> bias = {});

  std::size_t in_features() const { return output_major() ? weight_.cols() : weight_.rows(); }
  std::size_t out_features() const { return out_features_; }
  const WeightView& weight() const { return weight_; }

  std::size_t tiles() const { return (out_features() + tile_ - 1) / tile_; }
  /// First output feature and number of output features of a tile.
  std::pair<std::size_t, std::size_t> tile_extent(std::size_t tile) const;

  /// The tile's columns of y [rows, out_features] from x [rows, in_features], on the calling worker.
  void compute_tile(ConstMatrix x, std::size_t tile, Matrix y, Workspace& workspace, int worker) const;

  /// All of y, on all threads.
  void forward(ConstMatrix x, Matrix y, Workspace& workspace) const;

 private:
  bool output_major() const { return layout_ == LinearLayout::output_major; }
  void multiply_tile(ConstMatrix x, std::size_t first, std::size_t count, Matrix y, Workspace& workspace,
                     int worker) const;
  void multiply_input_major(ConstMatrix x, std::size_t first, std::size_t count, Matrix y,
                            Workspace& workspace, int worker) const;

  WeightView weight_;
  std::vector<float> bias_;
  LinearLayout layout_ = LinearLayout::output_major;
  std::size_t first_col_ = 0;  ///< Input-major: the column that is output feature 0.
  std::size_t out_features_ = 0;
  std::size_t tile_ = 1;
};

/// One of several products of the same x.
struct LinearJob {
  const Linear* linear;
  Matrix y;
};

/// Runs all jobs in one parallel loop over the tiles of all of them together.
void run_linears(ConstMatrix x, std::span<const LinearJob> jobs, Workspace& workspace);

/// Runs `count` items on all threads, or on this one if there are fewer than some thousand multiplications in
/// all: waking the others would take longer.
void for_items(Workspace& workspace, std::size_t count, std::size_t multiplications,
               FunctionRef<void(std::size_t item, int worker)> body);

}  // namespace mla
