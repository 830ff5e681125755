#include "nn/gqa_attention.h"

#include <algorithm>
#include <array>

#include "kernels/gemm.h"
#include "mla/error.h"

namespace mla {
namespace {

// Query rows handled at once: bounds the score matrix at this times the context.
constexpr std::size_t kQueryBlock = 64;

/// Rows [begin, end) of the cache.
struct KeyRange {
  std::size_t begin;
  std::size_t end;
};

/// One query head and a block of its rows. Row t of the queries is the cache's row batch.first + t.
struct QueryBlock {
  const GqaShape& shape;
  const AttentionCall& call;
  std::size_t head;
  std::size_t first_row;
  ConstMatrix q;       ///< [rows, head_dim], rotated.
  ConstMatrix keys;    ///< [context, head_dim], rotated.
  ConstMatrix values;  ///< [context, head_dim]
  Matrix out;          ///< [rows, head_dim]

  /// The keys that the mask and the window show to row `row` of the block.
  KeyRange visible(std::size_t row) const {
    const std::size_t own = call.batch.first + first_row + row;
    const bool causal = call.options.mask == AttentionMask::causal;
    if (!shape.window) return {0, causal ? own + 1 : keys.rows};
    const std::size_t window = *shape.window;
    const std::size_t behind = window < keys.rows - own ? own + window : keys.rows;
    return {own + 1 < window ? 0 : own + 1 - window, causal ? own + 1 : behind};
  }

  /// The keys that scores are computed for; all from the first on where somebody looks on.
  KeyRange range() const {
    const std::size_t begin = call.options.observer != nullptr ? 0 : visible(0).begin;
    return {begin, visible(q.rows - 1).end};
  }
};

/// Scores to probabilities: scale, the encoding's bias, softmax over what each row sees.
void softmax(const QueryBlock& block, const KeyRange& range, Matrix scores, const Kernels& kernels) {
  for (std::size_t row = 0; row < scores.rows; ++row)
    for (float& score : scores.row_span(row)) score *= block.shape.softmax_scale;
  const PositionBatch& batch = block.call.batch;
  block.call.position.add_score_bias({.head = block.head,
                                      .first_query = batch.position(block.first_row),
                                      .first_key = batch.offset + range.begin},
                                     scores);
  for (std::size_t row = 0; row < scores.rows; ++row) {
    const KeyRange seen = block.visible(row);
    float* const first = scores.row(row);
    float* const begin = first + (seen.begin - range.begin);
    float* const end = first + (seen.end - range.begin);
    std::fill(first, begin, 0.0F);
    kernels.softmax(begin, seen.end - seen.begin);
    std::fill(end, first + scores.cols, 0.0F);
  }
}

void show(const QueryBlock& block, ConstMatrix keys, ConstMatrix probabilities) {
  block.call.options.observer->head({.layer = block.call.layer,
                                     .head = block.head,
                                     .first_row = block.first_row,
                                     .first_key = block.call.batch.offset,
                                     .window = block.shape.window,
                                     .scale = block.shape.softmax_scale,
                                     .q = block.q,
                                     .k_content = keys,
                                     .k_rotary = keys.columns(0, 0),
                                     .probabilities = probabilities,
                                     .out = block.out});
}

/// A decode step's few rows: nothing but streams over the cache.
void attend_rows(const QueryBlock& block, const KeyRange& range, Matrix scores, const Kernels& kernels) {
  const std::size_t dim = block.shape.head_dim;
  for (std::size_t key = range.begin; key < range.end; ++key)
    for (std::size_t row = 0; row < scores.rows; ++row)
      scores.row(row)[key - range.begin] = kernels.dot_f32(block.q.row(row), block.keys.row(key), dim);
  softmax(block, range, scores, kernels);
  for (std::size_t row = 0; row < scores.rows; ++row) {
    const KeyRange seen = block.visible(row);
    std::fill_n(block.out.row(row), dim, 0.0F);
    for (std::size_t key = seen.begin; key < seen.end; ++key)
      kernels.axpy_f32(scores.row(row)[key - range.begin], block.values.row(key), block.out.row(row), dim);
  }
}

void attend_block(const QueryBlock& block, bool few_rows, float* memory, const Kernels& kernels) {
  const KeyRange range = block.range();
  const std::size_t count = range.end - range.begin;
  const Matrix scores{memory, block.q.rows, count, count};
  const ConstMatrix keys = block.keys.middle_rows(range.begin, count);
  if (few_rows) {
    attend_rows(block, range, scores, kernels);
  } else {
    multiply_transposed(block.q, keys, scores, kernels);
    softmax(block, range, scores, kernels);
    multiply(scores, block.values.middle_rows(range.begin, count), block.out, kernels);
  }
  if (block.call.options.observer != nullptr) show(block, keys, scores);
}

/// All heads of x one below the other, so that a norm of head_dim values sees each as a row.
Matrix heads_as_rows(Matrix x, std::size_t head_dim) {
  return {x.data, x.rows * (x.cols / head_dim), head_dim, head_dim};
}

}  // namespace

std::size_t gqa_scratch(const GqaShape& shape, std::size_t rows, std::size_t context) {
  const std::size_t block = std::min(rows, kQueryBlock);
  return block * (shape.window ? std::min(context, 2 * *shape.window + block) : context);
}

void GqaAttention::forward(ConstMatrix x, const AttentionCall& call, Workspace& workspace, Matrix out) const {
  if (call.options.path == AttentionPath::absorbed)
    throw Error(
        ErrorCode::unsupported, "", "attention",
        "found the absorbed path for a model that caches keys and values, expected the decompressed one");
  if (fast_) check_fast(call);
  const Arena::Scope scope(workspace.arena);
  const Matrix q = workspace.arena.matrix(x.rows, shape_.query_width());
  const auto cached = [&](const Matrix& stream) {
    return fast_ ? workspace.arena.matrix(x.rows, shape_.key_value_width())
                 : stream.middle_rows(call.batch.first, x.rows);
  };
  const Matrix k = cached(call.cache.first);
  const Matrix v = cached(call.cache.second);
  const std::array jobs = {LinearJob{&weights_.q_proj, q}, LinearJob{&weights_.k_proj, k},
                           LinearJob{&weights_.v_proj, v}};
  run_linears(x, jobs, workspace);
  for (const auto& [norm, heads] : {std::pair(&weights_.q_norm, heads_as_rows(q, shape_.head_dim)),
                                    std::pair(&weights_.k_norm, heads_as_rows(k, shape_.head_dim))})
    if (!norm->empty()) norm->forward(heads, heads, workspace);
  call.position.rotate(call.batch, q, shape_.head_dim, 0);
  call.position.rotate(call.batch, k, shape_.head_dim, 0);
  const Matrix heads_out = workspace.arena.matrix(x.rows, shape_.query_width());
  if (fast_) {
    append_bf16(k, v, call, workspace);
    attend_fast(q, call, workspace, heads_out);
  } else {
    attend(q, call, workspace, heads_out);
  }
  weights_.o_proj.forward(heads_out, out, workspace);
}

void GqaAttention::visit_linears(const LinearVisitor& visit) {
  for (Linear* linear : {&weights_.q_proj, &weights_.k_proj, &weights_.v_proj, &weights_.o_proj})
    visit(*linear, LinearRole::plain);
}

void GqaAttention::attend(ConstMatrix q, const AttentionCall& call, Workspace& workspace,
                          Matrix heads_out) const {
  const std::size_t dim = shape_.head_dim;
  const std::size_t context = call.cache.first.rows;
  const std::size_t blocks = (q.rows + kQueryBlock - 1) / kQueryBlock;
  // By the rows of the pass, not of a block, so that all its rows go the same way.
  const bool few_rows = q.rows < kGemmRows;
  const std::size_t scratch = call.options.observer != nullptr ? std::min(q.rows, kQueryBlock) * context
                                                               : gqa_scratch(shape_, q.rows, context);
  const std::size_t work = 2 * shape_.query_width() * q.rows * context;
  for_items(workspace, shape_.num_heads * blocks, work, [&](std::size_t item, int worker) {
    const std::size_t head = item / blocks;
    const std::size_t key_value_head = head / shape_.group();
    const std::size_t row = item % blocks * kQueryBlock;
    const std::size_t rows = std::min(kQueryBlock, q.rows - row);
    const QueryBlock block{.shape = shape_,
                           .call = call,
                           .head = head,
                           .first_row = row,
                           .q = q.columns(head * dim, dim).middle_rows(row, rows),
                           .keys = call.cache.first.columns(key_value_head * dim, dim),
                           .values = call.cache.second.columns(key_value_head * dim, dim),
                           .out = heads_out.columns(head * dim, dim).middle_rows(row, rows)};
    attend_block(block, few_rows, workspace.scratch(worker, scratch).data(), workspace.kernels);
  });
}

}  // namespace mla
