// y = x W^T + b, with the weights left in the file's own type.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "nn/linear_input.h"
#include "nn/sharing.h"
#include "nn/workspace.h"
#include "packed/packed_matrix.h"
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

/// The work is cut into tiles of output features. Their size depends on the shape alone, unless the weights are packed,
/// where no cut changes a bit: any number of threads gives the same bits.
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

  /// Puts the weights into panels: reserve_panels takes the memory, then pack_panel fills each. Afterwards products
  /// see the input in PackedKernels::form (LinearInput) and the file's weights no more. `type` is what the weights become; see
  /// packed_type.
  void reserve_panels(DType type, PageMemory& memory);
  /// Different panels may be packed at the same time. Throws Error(unsupported) if a value does not fit the type.
  void pack_panel(std::size_t panel, const Kernels& kernels);
  bool is_packed() const { return !packed_.empty(); }
  const PackedMatrix& packed() const { return packed_; }

  /// Output features that are computed as one item of work, for so many rows of x on so many threads.
  std::size_t tile(std::size_t rows, int threads) const;

  /// Output features [first, first + count) of y [rows, out_features] from x [rows, in_features], on the calling worker;
  /// `first` is a multiple of a tile. If it is packed, x has its form.
  void compute(const LinearInput& x, std::size_t first, std::size_t count, Matrix y, Workspace& workspace,
               int worker) const;

  /// All of y, on all threads.
  void forward(ConstMatrix x, Matrix y, Workspace& workspace) const;

 private:
  std::vector<float> decoded_row(std::size_t out, const Kernels& kernels) const;
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
  PackedMatrix packed_;
};

/// What a matrix is for, as far as packing asks.
enum class LinearRole {
  plain,
  router  ///< Decides by small differences, as an indexer does: never quantized, and always multiplied by float32.
};
using LinearVisitor = std::function<void(Linear& linear, LinearRole role)>;

/// What the weights become in panels: their own type, or `wanted` if they are floats and that is given (for Q4_K, as
/// in llama.cpp's mixtures, Q5_0 where rows are not whole blocks of 256). Nothing if neither is possible: the weights
/// are used as they lie.
std::optional<DType> packed_type(const Linear& linear, LinearRole role, std::optional<DType> wanted);

/// Adds the form that `linear` needs, if it is packed.
void add_form(LinearInput& x, const Linear& linear, Workspace& workspace);

/// Output features [first, first + count) of one of several matrices.
struct LinearPart {
  std::size_t job;
  std::size_t first;
  std::size_t count;
};

/// All tiles of `jobs` matrices, in one list: weight(job) is the matrix of a job, which has rows(job) rows of x.
template <typename Weight, typename Rows>
std::span<const LinearPart> list_tiles(std::size_t jobs, Weight weight, Rows rows, Workspace& workspace) {
  const int threads = workspace.pool.size();
  std::size_t count = 0;
  for (std::size_t job = 0; job < jobs; ++job) {
    const std::size_t tile = weight(job).tile(rows(job), threads);
    count += (weight(job).out_features() + tile - 1) / tile;
  }
  const std::span<LinearPart> parts = workspace.arena.list<LinearPart>(count);
  LinearPart* next = parts.data();
  for (std::size_t job = 0; job < jobs; ++job) {
    const Linear& linear = weight(job);
    const std::size_t tile = linear.tile(rows(job), threads);
    for (std::size_t first = 0; first < linear.out_features(); first += tile)
      *next++ = {job, first, std::min(tile, linear.out_features() - first)};
  }
  return parts;
}

/// One of several products of the same x.
struct LinearJob {
  const Linear* linear;
  Matrix y;
};

/// Runs all jobs in one parallel loop over the tiles of all of them together.
void run_linears(const LinearInput& x, std::span<const LinearJob> jobs, Workspace& workspace);

}  // namespace mla
