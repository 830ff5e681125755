#include "nn/linear.h"

#include <algorithm>
#include <cstdint>

#include "kernels/gemm.h"

namespace mla {
namespace {

std::size_t index_of(DType dtype) {
  return static_cast<std::size_t>(dtype);
}

/// Calls body(first_col, count, scale) for the stretches of a row that share one scale.
template <typename Body>
void for_scaled_stretches(const WeightView& weight, std::size_t row, Body body) {
  if (!weight.scale) return body(std::size_t{0}, weight.cols(), 1.0F);
  const std::size_t width = weight.scale->cols_per_block;
  for (std::size_t col = 0; col < weight.cols(); col += width)
    body(col, std::min(width, weight.cols() - col), weight.scale->at(row, col));
}

/// Of a quantized weight, `col` is the first of a block.
const std::byte* element(const WeightView& weight, std::size_t row, std::size_t col) {
  const DTypeTraits& traits = dtype_traits(weight.data.dtype);
  return weight.data.row(row) + col / traits.block_elements * traits.block_bytes;
}

/// The weights' own memory as floats, if it is that already.
const float* as_floats(const WeightView& weight, std::size_t row) {
  if (weight.data.dtype != DType::f32 || weight.scale) return nullptr;
  const std::byte* data = weight.data.row(row);
  if (reinterpret_cast<std::uintptr_t>(data) % alignof(float) != 0) return nullptr;
  return reinterpret_cast<const float*>(data);
}

/// Some eight tiles, so that up to as many threads have work, within what a level-2 cache holds.
std::size_t tile_for(std::size_t out_features) {
  return std::clamp<std::size_t>((out_features / 8 + 31) / 32 * 32, 32, 256);
}

/// One row waits for the memory that the weights come from, which streams best in long stretches: as many for each thread,
/// of at least kLeast panels if there are so many.
std::size_t streamed_tile(std::size_t out_features, std::size_t threads) {
  constexpr std::size_t kLeast = 12;
  const std::size_t panels = (out_features + kPanelRows - 1) / kPanelRows;
  const std::size_t share = (panels + threads - 1) / threads;
  const std::size_t stretches = std::max<std::size_t>(1, share / kLeast);
  return ((share + stretches - 1) / stretches + 1) / 2 * 2 * kPanelRows;
}

}  // namespace

float dot_row(const WeightView& weight, std::size_t row, const float* x, const Kernels& kernels) {
  const auto dot = kernels.dot[index_of(weight.data.dtype)];
  if (!weight.scale) return dot(weight.data.row(row), x, weight.cols());
  float sum = 0.0F;
  for_scaled_stretches(weight, row, [&](std::size_t col, std::size_t count, float scale) {
    sum += scale * dot(element(weight, row, col), x + col, count);
  });
  return sum;
}

void add_row(float a, const WeightView& weight, std::size_t row, float* y, const Kernels& kernels) {
  const auto axpy = kernels.axpy[index_of(weight.data.dtype)];
  for_scaled_stretches(weight, row, [&](std::size_t col, std::size_t count, float scale) {
    axpy(a * scale, element(weight, row, col), y + col, count);
  });
}

void decode_rows(const WeightView& weight, std::size_t first, std::size_t count, float* out,
                 const Kernels& kernels) {
  const auto decode = kernels.decode[index_of(weight.data.dtype)];
  for (std::size_t row = first; row < first + count; ++row, out += weight.cols())
    for_scaled_stretches(weight, row, [&](std::size_t col, std::size_t stretch, float scale) {
      decode(element(weight, row, col), out + col, stretch);
      if (scale == 1.0F) return;
      for (std::size_t i = col; i < col + stretch; ++i) out[i] *= scale;
    });
}

Linear::Linear(WeightView weight, std::vector<float> bias)
    : weight_(std::move(weight)),
      bias_(std::move(bias)),
      out_features_(weight_.rows()),
      tile_(tile_for(out_features_)) {}

Linear Linear::input_major(WeightView weight, std::size_t first, std::size_t count, std::vector<float> bias) {
  Linear linear;
  linear.weight_ = std::move(weight);
  linear.bias_ = std::move(bias);
  linear.layout_ = LinearLayout::input_major;
  linear.first_col_ = first;
  linear.out_features_ = count;
  linear.tile_ = tile_for(count);
  return linear;
}

std::size_t Linear::tile(std::size_t rows, int threads) const {
  constexpr std::size_t kManyRows = 16;
  constexpr std::size_t kStep = 2 * kPanelRows;
  if (!is_packed()) return tile_;
  // The cut changes no result of packed weights.
  if (rows == 1) return streamed_tile(out_features_, static_cast<std::size_t>(threads));
  // Rows are prepared once an item: a few large ones for each thread.
  constexpr std::size_t kItems = 4;
  if (rows < kManyRows) return tile_;
  const std::size_t items = kItems * static_cast<std::size_t>(threads);
  return std::max(tile_, (out_features_ / items + kStep - 1) / kStep * kStep);
}

void Linear::compute(const LinearInput& x, std::size_t first, std::size_t count, Matrix y,
                     Workspace& workspace, int worker) const {
  if (is_packed())
    packed_.multiply(x.in(workspace.packed.form(packed_.dtype())), first, count, y.columns(first, count),
                     workspace.packed_scratch(worker, in_features()), workspace.packed);
  else if (output_major())
    multiply_tile(x.floats(), first, count, y, workspace, worker);
  else
    multiply_input_major(x.floats(), first, count, y, workspace, worker);
  if (bias_.empty()) return;
  for (std::size_t row = 0; row < x.rows(); ++row)
    for (std::size_t out = first; out < first + count; ++out) y.row(row)[out] += bias_[out];
}

void Linear::multiply_tile(ConstMatrix x, std::size_t first, std::size_t count, Matrix y,
                           Workspace& workspace, int worker) const {
  if (x.rows < kGemmRows) {
    for (std::size_t out = first; out < first + count; ++out)
      for (std::size_t row = 0; row < x.rows; ++row)
        y.row(row)[out] = dot_row(weight_, out, x.row(row), workspace.kernels);
  } else {
    const float* floats = as_floats(weight_, first);
    if (floats == nullptr) {
      const std::span<float> decoded = workspace.scratch(worker, count * in_features());
      decode_rows(weight_, first, count, decoded.data(), workspace.kernels);
      floats = decoded.data();
    }
    multiply_transposed(x, {floats, count, in_features(), in_features()}, y.columns(first, count),
                        workspace.kernels);
  }
}

void Linear::multiply_input_major(ConstMatrix x, std::size_t first, std::size_t count, Matrix y,
                                  Workspace& workspace, int worker) const {
  const Kernels& kernels = workspace.kernels;
  const std::size_t col = first_col_ + first;
  const Matrix tile = y.columns(first, count);
  if (x.rows < kGemmRows) {
    const auto axpy = kernels.axpy[index_of(weight_.data.dtype)];
    for (std::size_t row = 0; row < x.rows; ++row) std::fill_n(tile.row(row), count, 0.0F);
    for (std::size_t in = 0; in < in_features(); ++in)
      for (std::size_t row = 0; row < x.rows; ++row)
        axpy(x.row(row)[in], element(weight_, in, col), tile.row(row), count);
    return;
  }
  if (const float* floats = as_floats(weight_, 0); floats != nullptr)
    return multiply(x, {floats + col, in_features(), count, weight_.cols()}, tile, kernels);
  const auto decode = kernels.decode[index_of(weight_.data.dtype)];
  const std::span<float> decoded = workspace.scratch(worker, in_features() * count);
  for (std::size_t in = 0; in < in_features(); ++in)
    decode(element(weight_, in, col), decoded.data() + in * count, count);
  multiply(x, {decoded.data(), in_features(), count, count}, tile, kernels);
}

void Linear::forward(ConstMatrix x, Matrix y, Workspace& workspace) const {
  const LinearJob job{this, y};
  run_linears(x, {&job, 1}, workspace);
}

void run_linears(const LinearInput& x, std::span<const LinearJob> jobs, Workspace& workspace) {
  const Arena::Scope scope(workspace.arena);
  LinearInput input = x;
  std::size_t multiplications = 0;
  for (const LinearJob& job : jobs) {
    add_form(input, *job.linear, workspace);
    multiplications += x.rows() * job.linear->in_features() * job.linear->out_features();
  }
  const std::span<const LinearPart> parts = list_tiles(
      jobs.size(), [&](std::size_t job) -> const Linear& { return *jobs[job].linear; },
      [&](std::size_t) { return x.rows(); }, workspace);
  for_items(workspace, parts.size(), multiplications, [&](std::size_t item, int worker) {
    const auto [job, first, count] = parts[item];
    jobs[job].linear->compute(input, first, count, jobs[job].y, workspace, worker);
  });
}

}  // namespace mla
