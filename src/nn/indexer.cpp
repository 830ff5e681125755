#include "nn/indexer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/gemm.h"
#include "nn/linear_input.h"
#include "packed/panel.h"

namespace mla {
namespace {

// Query rows scored at once, which bounds the scores at this times the context, and keys in one piece of work:
// products of all heads stay within this times heads times that.
constexpr std::size_t kQueryBlock = 16;
constexpr std::size_t kKeyTile = 256;

/// The places of the greatest `scores`, as many as `chosen` has, in rising order. `places` holds as many as the
/// reference chooses among: what lies behind the scores is hidden by its mask. Their contents are overwritten.
void choose(std::span<const float> scores, std::span<std::uint32_t> places, std::span<std::uint32_t> chosen) {
  const auto value = [&](std::uint32_t place) {
    return place < scores.size() ? scores[place] : std::numeric_limits<float>::lowest();
  };
  const auto greater = [&](std::uint32_t a, std::uint32_t b) {
    const float left = value(a);
    const float right = value(b);
    return (std::isnan(left) && !std::isnan(right)) || left > right;  // Not a number counts as the greatest.
  };
  std::iota(places.begin(), places.end(), 0U);
  const auto middle = places.begin() + static_cast<std::ptrdiff_t>(chosen.size());
  if (chosen.size() * 64 <= places.size())
    std::partial_sort(places.begin(), middle, places.end(), greater);
  else
    std::nth_element(places.begin(), middle - 1, places.end(), greater);
  std::copy(places.begin(), middle, chosen.begin());
  std::sort(chosen.begin(), chosen.end());
}

}  // namespace

void Indexer::visit_linears(const LinearVisitor& visit) {
  for (Linear* linear : {&weights_.wq_b, &weights_.wk, &weights_.weights_proj})
    visit(*linear, LinearRole::router);
}

void Indexer::append(ConstMatrix x, const AttentionCall& call, Workspace& workspace) const {
  const Matrix keys = call.cache.third.middle_rows(call.batch.first, x.rows);
  weights_.wk.forward(x, keys, workspace);
  weights_.k_norm.forward(keys, keys, workspace);
  if (shape_.rotary_dim > 0) call.position.rotate_halves(call.batch, keys, shape_.head_dim, 0);
}

Selection Indexer::select(ConstMatrix x, ConstMatrix latents, const AttentionCall& call,
                          Workspace& workspace) const {
  const ConstMatrix keys = call.cache.third;
  if (keys.rows <= shape_.top_k) return {};
  const bool causal = call.options.mask == AttentionMask::causal;
  const std::size_t before = call.batch.first;
  const std::size_t first = causal && shape_.top_k > before ? shape_.top_k - before : 0;
  const std::size_t tokens = causal ? std::max(keys.rows, call.batch.sequence_length) : keys.rows;

  Selection selection(first, x.rows, shape_.top_k, workspace.arena);
  const Arena::Scope scope(workspace.arena);
  const ConstMatrix q = queries(latents, call, workspace);
  const ConstMatrix head_weights = this->head_weights(x, workspace);
  const std::size_t block_rows = std::min(kQueryBlock, x.rows - first);
  const Matrix block = workspace.arena.matrix(block_rows, keys.rows);
  const std::span<std::uint32_t> places = workspace.arena.list<std::uint32_t>(block_rows * tokens);
  for (std::size_t row = first; row < x.rows; row += kQueryBlock) {
    const std::size_t rows = std::min(kQueryBlock, x.rows - row);
    const Matrix scores = block.middle_rows(0, rows).columns(0, causal ? before + row + rows : keys.rows);
    score(q.middle_rows(row, rows), head_weights.middle_rows(row, rows), keys.middle_rows(0, scores.cols),
          workspace, scores);
    for_items(workspace, rows, rows * tokens, [&](std::size_t i, int) {
      const std::size_t seen = causal ? before + row + i + 1 : keys.rows;
      choose(scores.row_span(i).first(seen), places.subspan(i * tokens, tokens),
             selection.row_to_fill(row + i));
    });
  }
  return selection;
}

Matrix Indexer::queries(ConstMatrix latents, const AttentionCall& call, Workspace& workspace) const {
  const Matrix q = workspace.arena.matrix(latents.rows, weights_.wq_b.out_features());
  weights_.wq_b.forward(latents, q, workspace);
  if (shape_.rotary_dim > 0) call.position.rotate_halves(call.batch, q, shape_.head_dim, 0);
  return q;
}

Matrix Indexer::head_weights(ConstMatrix x, Workspace& workspace) const {
  const Matrix weights = workspace.arena.matrix(x.rows, shape_.num_heads);
  weights_.weights_proj.forward(x, weights, workspace);
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape_.num_heads)));
  for (std::size_t row = 0; row < x.rows; ++row)
    for (float& weight : weights.row_span(row)) weight *= scale;
  return weights;
}

/// products [heads, keys] = heads keys^T; `memory` has room for the keys.
void Indexer::multiply_tile(const LinearInput& heads, ConstMatrix keys, float* memory, Matrix products,
                            Workspace& workspace, int worker) const {
  if (!fast_) return multiply_transposed(heads.floats(), keys, products, workspace.kernels);
  const std::size_t panel = kPanelRows * keys.cols;
  for (std::size_t first = 0; first < keys.rows; first += kPanelRows) {
    const std::size_t count = std::min(kPanelRows, keys.rows - first);
    std::array<const float*, kPanelRows> rows{};
    for (std::size_t i = 0; i < count; ++i) rows[i] = keys.row(first + i);
    float* const to = memory + first / kPanelRows * panel;
    std::fill_n(to, panel, 0.0F);
    // As pack_panel(DType::f32, ...) writes it, but with vectors: keys are packed anew in every pass.
    workspace.attention.add_columns(rows.data(), count, keys.cols, 1.0F, to, kPanelRows);
  }
  workspace.packed.multiply[static_cast<std::size_t>(DType::f32)](
      {.panels = reinterpret_cast<const std::byte*>(memory),
       .panel_bytes = panel * sizeof(float),
       .rows = keys.rows,
       .cols = keys.cols,
       .x = heads.in(ActivationForm::f32),
       .y = products,
       .scratch = workspace.packed_scratch(worker, keys.cols)});
}

void Indexer::score(ConstMatrix q, ConstMatrix head_weights, ConstMatrix keys, Workspace& workspace,
                    Matrix scores) const {
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape_.head_dim)));
  // All heads share the keys: one multiplication serves them all.
  const Arena::Scope scope(workspace.arena);
  LinearInput heads(ConstMatrix{q.data, q.rows * shape_.num_heads, shape_.head_dim, shape_.head_dim});
  if (fast_) heads.add(ActivationForm::f32, workspace);
  const std::size_t tiles = (keys.rows + kKeyTile - 1) / kKeyTile;
  for_items(workspace, tiles, heads.rows() * shape_.head_dim * keys.rows, [&](std::size_t tile, int worker) {
    const std::size_t first = tile * kKeyTile;
    const std::size_t count = std::min(kKeyTile, keys.rows - first);
    float* const memory = workspace.scratch(worker, indexer_scratch(shape_)).data();
    const Matrix products{memory + kKeyTile * shape_.head_dim, heads.rows(), count, count};
    multiply_tile(heads, keys.middle_rows(first, count), memory, products, workspace, worker);
    for (std::size_t row = 0; row < q.rows; ++row) {
      float* sums = scores.row(row) + first;
      std::fill_n(sums, count, 0.0F);
      for (std::size_t head = 0; head < shape_.num_heads; ++head) {
        const float weight = head_weights.row(row)[head];
        const float* product = products.row(row * shape_.num_heads + head);
        for (std::size_t key = 0; key < count; ++key)
          sums[key] += weight * std::max(product[key] * scale, 0.0F);
      }
    }
  });
}

std::size_t indexer_context_bytes() {
  return kQueryBlock * (sizeof(float) + sizeof(std::uint32_t));
}

std::size_t indexer_scratch(const IndexerShape& shape) {
  return (kQueryBlock * shape.num_heads + shape.head_dim) * kKeyTile;
}

}  // namespace mla
