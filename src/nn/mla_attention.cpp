#include "nn/mla_attention.h"

#include <algorithm>
#include <array>

#include "mla/error.h"
#include "nn/mla_head.h"

namespace mla {
namespace {

/// `scales` is empty or has one for each row.
void scale_rows(const std::vector<float>& scales, Matrix x) {
  for (std::size_t row = 0; row < scales.size(); ++row)
    for (float& value : x.row_span(row)) value *= scales[row];
}

}  // namespace

void MlaAttention::forward(ConstMatrix x, const AttentionCall& call, Workspace& workspace, Matrix out) const {
  if (fast_) check_fast(call);
  const Arena::Scope scope(workspace.arena);
  const Matrix q = workspace.arena.matrix(x.rows, weights_.q_proj.out_features());
  const Matrix compressed = workspace.arena.matrix(x.rows, shape_.kv_lora_rank + shape_.qk_rope_head_dim);
  const ConstMatrix latents = project(x, q, compressed, workspace);
  call.position.rotate(call.batch, q, shape_.qk_head_dim(), shape_.rotary_begin());
  scale_rows(call.batch.query_scales, q);
  append(compressed, call, workspace);
  const Selection selection = select(x, latents, call, workspace);
  const Matrix heads_out = workspace.arena.matrix(x.rows, shape_.num_heads * shape_.v_head_dim);
  if (fast_)
    attend_fast(q, selection, call, workspace, heads_out);
  else
    attend(q, selection, call, workspace, heads_out);
  weights_.o_proj.forward(heads_out, out, workspace);
}

void MlaAttention::visit_linears(const LinearVisitor& visit) {
  if (weights_.compression) visit(weights_.compression->q_a_proj, LinearRole::plain);
  visit(weights_.q_proj, LinearRole::plain);
  visit(weights_.kv_a_proj_with_mqa, LinearRole::plain);
  visit(weights_.o_proj, LinearRole::plain);
  if (weights_.indexer) weights_.indexer->visit_linears(visit);
}

/// The queries before their rotation and `compressed` [rows, kv_lora_rank | qk_rope_head_dim]: the latents before their
/// norm, the keys before their rotation. Returns the queries' latents, x itself without compression.
ConstMatrix MlaAttention::project(ConstMatrix x, Matrix q, Matrix compressed, Workspace& workspace) const {
  const LinearJob keys{&weights_.kv_a_proj_with_mqa, compressed};
  if (!weights_.compression) {
    run_linears(x, std::array{LinearJob{&weights_.q_proj, q}, keys}, workspace);
    return x;
  }
  const QueryCompression& compression = *weights_.compression;
  const Matrix latent = workspace.arena.matrix(x.rows, compression.q_a_proj.out_features());
  run_linears(x, std::array{LinearJob{&compression.q_a_proj, latent}, keys}, workspace);
  compression.q_a_layernorm.forward(latent, latent, workspace);
  weights_.q_proj.forward(latent, q, workspace);
  return latent;
}

Selection MlaAttention::select(ConstMatrix x, ConstMatrix latents, const AttentionCall& call,
                               Workspace& workspace) const {
  if (!weights_.indexer) return {};
  weights_.indexer->append(x, call, workspace);
  return weights_.indexer->select(x, latents, call, workspace);
}

void MlaAttention::append(Matrix compressed, const AttentionCall& call, Workspace& workspace) const {
  const Matrix latent = compressed.columns(0, shape_.kv_lora_rank);
  const Matrix rotary = compressed.columns(shape_.kv_lora_rank, shape_.qk_rope_head_dim);
  const std::size_t first = call.batch.first;
  if (fast_) {
    weights_.kv_a_layernorm.forward(latent, latent, workspace);
    if (shape_.decoupled()) call.position.rotate(call.batch, rotary, shape_.qk_rope_head_dim, 0);
    return fast_->append(latent, rotary, call, workspace);
  }
  weights_.kv_a_layernorm.forward(latent, call.cache.first.middle_rows(first, compressed.rows), workspace);
  if (!shape_.decoupled()) return;

  const Matrix k_rope = call.cache.second.middle_rows(first, compressed.rows);
  for (std::size_t row = 0; row < compressed.rows; ++row)
    std::copy_n(rotary.row(row), shape_.qk_rope_head_dim, k_rope.row(row));
  call.position.rotate(call.batch, k_rope, shape_.qk_rope_head_dim, 0);
}

void MlaAttention::attend(ConstMatrix q, const Selection& selection, const AttentionCall& call,
                          Workspace& workspace, Matrix heads_out) const {
  const std::size_t context = call.cache.first.rows;
  const std::size_t up = shape_.qk_nope_head_dim + shape_.v_head_dim;
  const auto form =
      chosen_path(q.rows, call) == AttentionPath::absorbed ? attend_absorbed : attend_decompressed;
  const PositionBatch* const keys = whole_key_positions(call, context, workspace);
  const std::size_t work =
      shape_.num_heads * q.rows * (up * shape_.kv_lora_rank + context * shape_.qk_head_dim());
  for_items(workspace, shape_.num_heads, work, [&](std::size_t head, int worker) {
    const MlaHead job{.shape = shape_,
                      .call = call,
                      .selection = selection,
                      .head = head,
                      .up = up_projection(head),
                      .q = q.columns(head * shape_.qk_head_dim(), shape_.qk_head_dim()),
                      .rotated_keys = keys,
                      .out = heads_out.columns(head * shape_.v_head_dim, shape_.v_head_dim)};
    form(job, workspace.scratch(worker, mla_head_scratch(shape_, q.rows, context)).data(), workspace.kernels);
  });
}

void MlaAttention::attend_fast(ConstMatrix q, const Selection& selection, const AttentionCall& call,
                               Workspace& workspace, Matrix heads_out) const {
  fast_->attend(q, call,
                {.path = chosen_path(q.rows, call),
                 .selection = selection,
                 .rotated_keys = whole_key_positions(call, call.batch.first + q.rows, workspace)},
                workspace, heads_out);
}

/// All keys' positions, prepared, if they are rotated whole; else null.
const PositionBatch* MlaAttention::whole_key_positions(const AttentionCall& call, std::size_t context,
                                                       Workspace& workspace) const {
  if (!rotates_whole_keys(call)) return nullptr;
  PositionBatch& keys = workspace.key_positions;
  keys.count = context;
  keys.sequence_length = call.batch.sequence_length;  // As the queries: dynamic goes by it.
  keys.offset = call.batch.offset;
  call.position.prepare(keys);
  return &keys;
}

MlaUpProjection MlaAttention::up_projection(std::size_t head) const {
  const std::size_t nope = shape_.qk_nope_head_dim;
  const std::size_t value = shape_.v_head_dim;
  if (weights_.split_kv_b) {
    const SplitKvUp& split = *weights_.split_kv_b;
    return {.keys = split.k_b.slice_rows(head * shape_.kv_lora_rank, shape_.kv_lora_rank),
            .keys_transposed = true,
            .values = split.v_b.slice_rows(head * value, value)};
  }
  const WeightView up = weights_.kv_b_proj.weight().slice_rows(head * (nope + value), nope + value);
  return {.keys = up.slice_rows(0, nope), .keys_transposed = false, .values = up.slice_rows(nope, value)};
}

bool MlaAttention::rotates_whole_keys(const AttentionCall& call) const {
  return !shape_.decoupled() && call.position.stage() == EncodingStage::rotation;
}

AttentionPath MlaAttention::chosen_path(std::size_t rows, const AttentionCall& call) const {
  const PassOptions& options = call.options;
  if (rotates_whole_keys(call)) {
    if (options.path == AttentionPath::absorbed)
      throw Error(
          ErrorCode::unsupported, "", "attention",
          "found the absorbed path for keys that are rotated whole, expected the decompressed one or a "
          "rotary part of its own (qk_rope_head_dim)");
    return AttentionPath::decompressed;
  }
  if (options.observer != nullptr) return AttentionPath::decompressed;
  if (options.path != AttentionPath::automatic) return options.path;
  return fast_ ? fast_path(call) : cheaper_path(rows, call.cache.first.rows);
}

/// By the whole call, so that all its rows go the same way however it is cut into passes. The absorbed form multiplies
/// by none of the keys that are not selected.
AttentionPath MlaAttention::fast_path(const AttentionCall& call) const {
  const std::size_t rows = call.batch.call_count == 0 ? call.batch.count : call.batch.call_count;
  if (rows == 1) return AttentionPath::absorbed;
  const std::size_t context = call.batch.sequence_length;
  const std::size_t keys = weights_.indexer ? std::min(context, weights_.indexer->shape().top_k) : context;
  return cheaper_path(rows, context, keys);
}

std::size_t MlaAttention::use_fast(const FastPlan& plan) {
  if (weights_.indexer) weights_.indexer->use_fast();
  std::vector<MlaUpProjection> up;
  for (std::size_t head = 0; head < shape_.num_heads; ++head) up.push_back(up_projection(head));
  fast_.emplace(shape_, std::move(up), plan);
  return fast_->items();
}

AttentionPath MlaAttention::cheaper_path(std::size_t rows, std::size_t context) const {
  const std::size_t keys =
      weights_.indexer ? absorbed_keys(rows, context, weights_.indexer->shape().top_k) : context;
  return cheaper_path(rows, context, keys);
}

/// Where the absorbed form multiplies a row by so many keys.
AttentionPath MlaAttention::cheaper_path(std::size_t rows, std::size_t context, std::size_t keys) const {
  const std::size_t up = shape_.qk_nope_head_dim + shape_.v_head_dim;
  const std::size_t decompressed =
      context * shape_.kv_lora_rank * up + rows * context * (shape_.qk_rope_head_dim + up);
  const std::size_t absorbed =
      rows * shape_.kv_lora_rank * up + rows * keys * (shape_.qk_rope_head_dim + 2 * shape_.kv_lora_rank);
  return decompressed < absorbed ? AttentionPath::decompressed : AttentionPath::absorbed;
}

}  // namespace mla
