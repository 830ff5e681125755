#include "model/decoder.h"

#include <string>

#include "mla/error.h"
#include "nn/sharing.h"

namespace mla {
namespace {

/// x += a * y
void add(float a, ConstMatrix y, Matrix x, Workspace& workspace) {
  for_rows(workspace, x.rows, x.cols, [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row)
      workspace.kernels.axpy_f32(a, y.row(row), x.row(row), x.cols);
  });
}

void scale(Matrix x, float factor) {
  if (factor == 1.0F) return;
  for (std::size_t row = 0; row < x.rows; ++row)
    for (float& value : x.row_span(row)) value *= factor;
}

}  // namespace

void Decoder::forward(std::span<const TokenId> ids, PositionBatch& batch, KvCache& cache,
                      const PassOptions& options, Workspace& workspace, Matrix logits) const {
  const Arena::Scope scope(workspace.arena);
  const std::size_t context = batch.first + ids.size();
  const Matrix x = embed(ids, workspace);
  const Matrix normed = workspace.arena.matrix(x.rows, x.cols);
  const Matrix change = workspace.arena.matrix(x.rows, x.cols);
  const Matrix later = workspace.arena.matrix(x.rows, x.cols);
  const PositionalEncoding& stage = options.position != nullptr ? *options.position : *position;
  stage.prepare(batch);
  stage.add_to_embedding(batch, x);

  for (std::size_t i = 0; i < layers.size(); ++i) {
    const DecoderLayer& layer = layers[i];
    const LayerCache layer_cache = cache.layer(i, context);
    if (options.observer != nullptr) options.observer->layer_input(i, x);
    layer.input_layernorm.forward(x, normed, workspace);
    layer.attention->forward(normed, {i, batch, stage, layer_cache, options}, workspace, change);
    if (options.observer != nullptr) options.observer->attention_output(i, change);
    add(residual_scale, change, x, workspace);
    layer.post_attention_layernorm.forward(x, normed, workspace);
    layer.feed_forward->forward(normed, workspace, change);
    add(residual_scale, change, x, workspace);
    if (i > 0 && layers[i - 1].shortcut) add(residual_scale, later, x, workspace);
    if (layer.shortcut) layer.shortcut->forward(normed, workspace, later);
  }

  const Matrix asked_for = x.middle_rows(x.rows - logits.rows, logits.rows);
  norm.forward(asked_for, asked_for, workspace);
  scale(asked_for, logit_scale);
  lm_head.forward(asked_for, logits, workspace);
}

void Decoder::visit_linears(const LinearVisitor& visit) {
  for (DecoderLayer& layer : layers) {
    layer.attention->visit_linears(visit);
    layer.feed_forward->visit_linears(visit);
    if (layer.shortcut) layer.shortcut->visit_linears(visit);
  }
  visit(lm_head, LinearRole::plain);
}

Matrix Decoder::embed(std::span<const TokenId> ids, Workspace& workspace) const {
  const Matrix x = workspace.arena.matrix(ids.size(), hidden_size());
  for (std::size_t row = 0; row < ids.size(); ++row)
    decode_rows(embed_tokens, static_cast<std::size_t>(ids[row]), 1, x.row(row), workspace.kernels);
  scale(x, embedding_scale);
  return x;
}

void Decoder::check_ids(std::span<const TokenId> ids) const {
  if (ids.empty()) throw Error(ErrorCode::argument, "", "ids", "found no tokens, expected at least one");
  for (const TokenId id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= vocab_size()) {
      throw Error(
          ErrorCode::argument, "", "ids",
          "found token " + std::to_string(id) + ", expected 0 to " + std::to_string(vocab_size() - 1));
    }
  }
}

std::size_t Decoder::resting_embeddings() const {
  const bool tied = lm_head.weight().data.data == embed_tokens.data.data;
  const std::size_t rows = tied ? 0 : (vocab_size() - 1) * hidden_size();
  return encoding.table ? rows + encoding.table->values.size() - encoding.table->dims : rows;
}

std::vector<CacheWidths> Decoder::cache_widths() const {
  std::vector<CacheWidths> widths;
  for (const DecoderLayer& layer : layers) widths.push_back(layer.attention->cache_widths());
  return widths;
}

}  // namespace mla
