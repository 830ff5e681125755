#include "nn/fast_mla.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "mla/error.h"
#include "nn/fast_mla_decompressed.h"
#include "nn/linear.h"
#include "nn/sharing.h"
#include "tensor/quantize.h"

namespace mla {
namespace {

bool whole_blocks(DType dtype, std::size_t cols) {
  return cols % dtype_traits(dtype).block_elements == 0;
}

bool is_float(DType dtype) {
  return dtype_traits(dtype).block_elements == 1;
}

/// What a float type stays: itself, but FP8 with its block scales becomes BF16.
DType float_type(const WeightView& weight) {
  return weight.data.dtype == DType::f8_e4m3 ? DType::bf16 : weight.data.dtype;
}

/// What rows that are packed as they lie become.
DType direct_type(const WeightView& weight, std::optional<DType> wanted) {
  if (!is_float(weight.data.dtype)) return weight.data.dtype;
  if (!wanted) return float_type(weight);
  if (whole_blocks(*wanted, weight.cols())) return *wanted;
  if (*wanted == DType::q4_k && whole_blocks(DType::q5_0, weight.cols())) return DType::q5_0;
  return float_type(weight);
}

/// What columns that become rows of `cols` are packed as. Quantized ones are not whole blocks any more; Q8_0 adds
/// little to the error they have.
DType transposed_type(const WeightView& weight, std::size_t cols, std::optional<DType> wanted) {
  if (is_float(weight.data.dtype) && !wanted) return float_type(weight);
  return whole_blocks(DType::q8_0, cols) ? DType::q8_0 : DType::bf16;
}

PackedMatrix reserved(const WeightView& weight, bool transposed, const FastPlan& plan) {
  if (transposed)
    return {transposed_type(weight, weight.rows(), plan.quantize), weight.cols(), weight.rows(), plan.memory};
  return {direct_type(weight, plan.quantize), weight.rows(), weight.cols(), plan.memory};
}

/// The rows of `to` as floats [rows, cols].
std::vector<float> decoded(const WeightView& weight, bool transposed, const Kernels& kernels) {
  std::vector<float> rows(weight.rows() * weight.cols());
  decode_rows(weight, 0, weight.rows(), rows.data(), kernels);
  if (!transposed) return rows;
  std::vector<float> columns(rows.size());
  for (std::size_t row = 0; row < weight.rows(); ++row)
    for (std::size_t col = 0; col < weight.cols(); ++col)
      columns[col * weight.rows() + row] = rows[row * weight.cols() + col];
  return columns;
}

void fill(PackedMatrix& to, const WeightView& weight, bool transposed, const Kernels& kernels) {
  const bool as_it_lies = !transposed && !weight.scale && to.dtype() == weight.data.dtype;
  const DTypeTraits& traits = dtype_traits(to.dtype());
  const std::size_t row_bytes = to.cols() / traits.block_elements * traits.block_bytes;
  const std::vector<float> floats = as_it_lies ? std::vector<float>() : decoded(weight, transposed, kernels);
  std::vector<std::byte> encoded(as_it_lies ? 0 : kPanelRows * row_bytes);
  for (std::size_t panel = 0; panel < to.panels(); ++panel) {
    std::array<const std::byte*, kPanelRows> rows{};
    const std::size_t first = to.panel_first(panel);
    for (std::size_t i = 0; i < to.panel_rows(panel); ++i) {
      if (as_it_lies) {
        rows[i] = weight.data.row(first + i);
        continue;
      }
      const std::span<std::byte> row(encoded.data() + i * row_bytes, row_bytes);
      if (!encode_row(to.dtype(), std::span(floats).subspan((first + i) * to.cols(), to.cols()), row))
        throw Error(ErrorCode::unsupported, "", "kv_b_proj",
                    std::string("found a weight that is not finite or too large, expected ones that ")
                        .append(traits.name)
                        .append(" can hold"));
      rows[i] = row.data();
    }
    to.pack(panel, std::span(rows).first(to.panel_rows(panel)));
  }
}

/// A worker's copy of some rows in a form.
struct FormMemory {
  std::byte* bytes;
  FormMemory(Carver& memory, std::size_t count) : bytes(memory.take<std::byte>(count)) {}
};

/// y = x W^T with x brought into the form that W is multiplied by.
void multiply(ConstMatrix x, const PackedMatrix& weight, Matrix y, Workspace& workspace, int worker) {
  const ActivationForm form = workspace.packed.form(weight.dtype());
  const auto memory = worker_memory<FormMemory>(workspace, worker, activation_bytes(form, x.rows, x.cols));
  const ActivationView view = activations_in(memory.bytes, form, x.rows, x.cols);
  for (std::size_t row = 0; row < x.rows; ++row) workspace.packed.quantize(x.row(row), view, row);
  weight.multiply(view, 0, weight.rows(), y, workspace.packed_scratch(worker, weight.cols()),
                  workspace.packed);
}

}  // namespace

FastMla::FastMla(const MlaShape& shape, std::vector<MlaUpProjection> up, const FastPlan& plan)
    : shape_(shape) {
  heads_.reserve(up.size());
  for (MlaUpProjection& head : up)
    heads_.push_back({.absorb = reserved(head.keys, !head.keys_transposed, plan),
                      .keys = reserved(head.keys, head.keys_transposed, plan),
                      .values = reserved(head.values, false, plan)});
  sources_ = std::move(up);
}

void FastMla::pack(std::size_t head, const Kernels& kernels) {
  const MlaUpProjection& up = sources_[head];
  fill(heads_[head].absorb, up.keys, !up.keys_transposed, kernels);
  fill(heads_[head].keys, up.keys, up.keys_transposed, kernels);
  fill(heads_[head].values, up.values, false, kernels);
}

CacheWidths FastMla::cache_widths() const {
  return {.first = latent_cols() + rotary_cols(), .element = CacheElement::bf16};
}

void FastMla::append(ConstMatrix latents, ConstMatrix keys, const AttentionCall& call,
                     Workspace& workspace) const {
  for_rows(workspace, latents.rows, latent_cols() + rotary_cols(), [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row) {
      std::byte* to = call.cache.first_bf16.row(0, call.batch.first + row);
      write_bf16_row(latents.row_span(row), to, workspace.packed);
      write_bf16_row(keys.row_span(row), to + 2 * latent_cols(), workspace.packed);
    }
  });
}

void FastMla::attend(ConstMatrix q, const AttentionCall& call, const FastMlaWay& way, Workspace& workspace,
                     Matrix heads_out) const {
  if (way.path == AttentionPath::absorbed)
    return attend_absorbed(q, call, way.selection, workspace, heads_out);
  ScoreBias bias = score_bias(call);
  if (way.selection.kept() > 0) bias.selection = &way.selection;
  attend_decompressed({.shape = shape_,
                       .heads = heads_,
                       .call = call,
                       .q = q,
                       .out = heads_out,
                       .rotated_keys = way.rotated_keys,
                       .bias = bias},
                      workspace);
}

/// q_nope . (W_UK c) = (W_UK^T q_nope) . c and sum p (W_UV c) = W_UV (sum p c)
void FastMla::attend_absorbed(ConstMatrix q, const AttentionCall& call, const Selection& selection,
                              Workspace& workspace, Matrix heads_out) const {
  const Arena::Scope scope(workspace.arena);
  const std::size_t rank = shape_.kv_lora_rank;
  const std::size_t width = heads_.size() * rank;
  const Matrix queries = workspace.arena.matrix(q.rows, width);
  const std::size_t up_work = q.rows * width * shape_.qk_nope_head_dim;
  for_items(workspace, heads_.size(), up_work, [&](std::size_t head, int worker) {
    multiply(q.columns(head * shape_.qk_head_dim(), shape_.qk_nope_head_dim), heads_[head].absorb,
             queries.columns(head * rank, rank), workspace, worker);
  });
  const Matrix mixed = workspace.arena.matrix(q.rows, width);
  const HeadRows<const float> latent{queries.data, width, rank, rank};
  const HeadRows<const float> rotary{q.data + shape_.qk_nope_head_dim, q.stride, shape_.qk_head_dim(),
                                     shape_.qk_rope_head_dim};
  attend_latents({.tokens = q.rows,
                  .heads = heads_.size(),
                  .parts = {latent, rotary},
                  .scale = shape_.softmax_scale,
                  .out = {mixed.data, width, rank, rank}},
                 call, selection, workspace);
  const std::size_t down_work = q.rows * width * shape_.v_head_dim;
  for_items(workspace, heads_.size(), down_work, [&](std::size_t head, int worker) {
    multiply(mixed.columns(head * rank, rank), heads_[head].values,
             heads_out.columns(head * shape_.v_head_dim, shape_.v_head_dim), workspace, worker);
  });
}

void FastMla::attend_latents(const LatentQueries& queries, const AttentionCall& call,
                             const Selection& selection, Workspace& workspace) const {
  const std::size_t dense = selection.dense_rows(queries.tokens);
  Bf16Stream cache = call.cache.first_bf16;
  cache.tokens = call.batch.first + dense;
  if (dense > 0)
    flash_attention({.heads = 1,
                     .tokens = dense,
                     .rows = {.first = call.batch.first, .group = queries.heads},
                     .queries = queries.parts,
                     .scale = queries.scale,
                     .keys = cache,
                     .values = cache,
                     .out = queries.out,
                     .bias = score_bias(call)},
                    workspace);
  if (dense < queries.tokens) attend_selected(queries, call, selection, workspace);
}

}  // namespace mla
