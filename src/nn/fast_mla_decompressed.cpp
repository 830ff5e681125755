#include "nn/fast_mla_decompressed.h"

#include <algorithm>
#include <cstring>

#include "nn/flash_attention.h"
#include "nn/sharing.h"

namespace mla {
namespace {

// Keys whose latents are in the weights' form at a time, for all heads: bounds that memory.
constexpr std::size_t kSpanBlocks = 8;
// Keys that are decompressed at a time: their floats stay in a near cache until they are rounded.
constexpr std::size_t kKeysAtOnce = 64;

/// The latents of a span of keys as the up-projections take them.
struct SpanLatents {
  std::size_t first = 0;
  std::size_t count = 0;
  ActivationView keys;    ///< In the form of W_UK,
  ActivationView values;  ///< and of W_UV.
};

/// What one head takes from a worker's scratch for `rows` query rows.
struct HeadMemory {
  std::byte* queries;
  float* floats;      ///< [kKeysAtOnce][widest of a key and a value]
  std::byte* keys;    ///< [kKeyBlock][cols] bf16
  std::byte* values;  ///< Panels.
  FlashScratch scratch;

  HeadMemory(Carver& memory, std::size_t rows, std::size_t cols, std::size_t floats_cols,
             std::size_t value_cols)
      : queries(memory.take<std::byte>(round_up(rows, kLanes) * cols * 2)),
        floats(memory.take<float>(kKeysAtOnce * floats_cols)),
        keys(memory.take<std::byte>(kKeyBlock * cols * 2)),
        values(memory.take<std::byte>(ValuePanels::bytes(value_cols))),
        scratch(memory, round_up(std::min(rows, kTileRows), kLanes), value_cols) {}
};

class Decompressed {
 public:
  Decompressed(const DecompressedMla& job, Workspace& workspace)
      : job_(job),
        shape_(job.shape),
        workspace_(workspace),
        context_(job.call.batch.first + job.q.rows),
        nope_cols_(round_up(shape_.qk_nope_head_dim, kColumnStep)),
        cols_(nope_cols_ + round_up(shape_.qk_rope_head_dim, kColumnStep)),
        latent_cols_(round_up(shape_.kv_lora_rank, kColumnStep)),
        padded_rows_(round_up(job.q.rows, kLanes)) {}

  void run();

 private:
  SpanLatents latents_of(std::size_t first);
  ActivationView in_form(ActivationForm form, std::size_t first, std::size_t count);
  void attend(std::size_t head, std::size_t row, std::size_t rows, const SpanLatents& span, int worker) const;
  BlockOfKeys decompress(std::size_t head, const SpanLatents& span, std::size_t first,
                         const HeadMemory& memory, int worker) const;
  MergedRows merged(std::size_t head, std::size_t row, std::size_t count) const;
  QueryTile tile(std::size_t head, std::size_t row, std::size_t count, std::byte* panels) const;
  std::size_t rows_at_once() const;

  const DecompressedMla& job_;
  const MlaShape& shape_;
  Workspace& workspace_;
  std::size_t context_;
  std::size_t nope_cols_;
  std::size_t cols_;  ///< Of a key: [content | rotary], each filled up.
  std::size_t latent_cols_;
  std::size_t padded_rows_;
  Matrix largest_;  ///< [heads, rows filled up]
  Matrix sum_;
};

/// Rows that an item has: all, so that a head's keys are made once, unless there are too few heads for the threads.
std::size_t Decompressed::rows_at_once() const {
  const std::size_t wanted = 2 * static_cast<std::size_t>(workspace_.pool.size());
  const std::size_t parts =
      workspace_.pool.size() == 1 ? 1 : (wanted + job_.heads.size() - 1) / job_.heads.size();
  return round_up((job_.q.rows + parts - 1) / parts, kTileRows);
}

void Decompressed::run() {
  const Arena::Scope scope(workspace_.arena);
  largest_ = workspace_.arena.matrix(job_.heads.size(), padded_rows_);
  sum_ = workspace_.arena.matrix(job_.heads.size(), padded_rows_);
  const std::size_t rows = rows_at_once();
  const std::size_t parts = (job_.q.rows + rows - 1) / rows;
  const std::size_t up = shape_.qk_nope_head_dim + shape_.v_head_dim;
  for (std::size_t first = 0; first < context_; first += kSpanBlocks * kKeyBlock) {
    const Arena::Scope span_scope(workspace_.arena);
    const SpanLatents span = latents_of(first);
    const std::size_t work =
        job_.heads.size() * span.count * (shape_.kv_lora_rank * up + job_.q.rows * cols_);
    for_items(workspace_, job_.heads.size() * parts, work, [&](std::size_t item, int worker) {
      const std::size_t row = item % parts * rows;
      attend(item / parts, row, std::min(rows, job_.q.rows - row), span, worker);
    });
  }
}

SpanLatents Decompressed::latents_of(std::size_t first) {
  const std::size_t count = std::min(kSpanBlocks * kKeyBlock, context_ - first);
  // BF16 weights take latents as they lie in the cache.
  const auto form = [&](const PackedMatrix& up) {
    return up.dtype() == DType::bf16 ? ActivationForm::bf16 : workspace_.packed.form(up.dtype());
  };
  const ActivationForm keys = form(job_.heads[0].keys);
  const ActivationForm values = form(job_.heads[0].values);
  SpanLatents span{.first = first, .count = count, .keys = in_form(keys, first, count), .values = {}};
  span.values = values == keys ? span.keys : in_form(values, first, count);
  return span;
}

/// Nothing for bf16: that is how they lie in the cache.
ActivationView Decompressed::in_form(ActivationForm form, std::size_t first, std::size_t count) {
  if (form == ActivationForm::bf16) return {};
  const std::size_t rank = shape_.kv_lora_rank;
  const ActivationView view =
      activations_in(workspace_.arena.bytes(activation_bytes(form, count, rank)), form, count, rank);
  const Matrix floats = workspace_.arena.matrix(count, rank);
  for_rows(workspace_, count, 4 * rank, [&](std::size_t from, std::size_t rows) {
    for (std::size_t row = from; row < from + rows; ++row) {
      const std::byte* bits = job_.call.cache.first_bf16.row(0, first + row);
      workspace_.packed.from_bf16(reinterpret_cast<const std::uint16_t*>(bits), rank, floats.row(row));
      workspace_.packed.quantize(floats.row(row), view, row);
    }
  });
  return view;
}

QueryTile Decompressed::tile(std::size_t head, std::size_t row, std::size_t count, std::byte* panels) const {
  return {.rows = {.first = job_.call.batch.first},
          .row = row,
          .count = count,
          .cols = cols_,
          .panels = panels,
          .head = head,
          .bias = job_.bias.empty() ? nullptr : &job_.bias};
}

MergedRows Decompressed::merged(std::size_t head, std::size_t row, std::size_t count) const {
  MergedRows rows{.largest = largest_.row(head) + row,
                  .sum = sum_.row(head) + row,
                  .count = count,
                  .cols = shape_.v_head_dim};
  for (std::size_t i = 0; i < count; ++i) rows.rows[i] = job_.out.row(row + i) + head * shape_.v_head_dim;
  return rows;
}

/// Rows [row, row + rows) of a head over a span.
void Decompressed::attend(std::size_t head, std::size_t row, std::size_t rows, const SpanLatents& span,
                          int worker) const {
  const AttentionKernels& kernels = workspace_.attention;
  const auto memory =
      worker_memory<HeadMemory>(workspace_, worker, rows, cols_,
                                std::max(shape_.qk_nope_head_dim, shape_.v_head_dim), shape_.v_head_dim);
  const std::size_t head_dim = shape_.qk_head_dim();
  const HeadRows<const float> content{job_.q.data, job_.q.stride, head_dim, shape_.qk_nope_head_dim};
  const HeadRows<const float> rotary{job_.q.data + shape_.qk_nope_head_dim, job_.q.stride, head_dim,
                                     shape_.qk_rope_head_dim};
  const auto tile_at = [&](std::size_t first) {
    return tile(head, row + first, std::min(kTileRows, rows - first), memory.queries + first * cols_ * 2);
  };
  for (std::size_t first = 0; first < rows; first += kTileRows) {
    pack_queries(tile_at(first), std::array{content, rotary}, shape_.softmax_scale, kernels);
    if (span.first == 0) merged(head, row + first, tile_at(first).count).begin();
  }
  const std::size_t seen = std::min(span.first + span.count, tile(head, row, rows, nullptr).keys_end());
  for (std::size_t key = span.first; key < seen; key += kKeyBlock) {
    const BlockOfKeys block = decompress(head, span, key, memory, worker);
    for (std::size_t first = 0; first < rows; first += kTileRows) {
      const QueryTile queries = tile_at(first);
      if (queries.keys_end() <= key) continue;
      attend_block(queries, block, {}, memory.scratch, memory.scratch.partial, workspace_, worker);
      merged(head, queries.row, queries.count).add(memory.scratch.partial, kernels);
    }
  }
  for (std::size_t first = 0; first < rows; first += kTileRows) {
    const QueryTile queries = tile_at(first);
    const std::size_t end = queries.keys_end();
    if (end > span.first && end <= span.first + span.count)
      merged(head, queries.row, queries.count).finish(kernels);
  }
}

/// Keys and values of a head for the block that begins at `first`.
BlockOfKeys Decompressed::decompress(std::size_t head, const SpanLatents& span, std::size_t first,
                                     const HeadMemory& memory, int worker) const {
  const PackedUpProjection& up = job_.heads[head];
  const Bf16Stream& cache = job_.call.cache.first_bf16;
  const std::size_t count = std::min(kKeyBlock, span.first + span.count - first);
  const std::size_t nope = shape_.qk_nope_head_dim;
  std::byte* scratch = workspace_.packed_scratch(worker, shape_.kv_lora_rank);
  for (std::size_t key = 0; key < count; key += kKeysAtOnce) {
    const std::size_t keys = std::min(kKeysAtOnce, count - key);
    const auto latents = [&](const ActivationView& view) {
      return view.values == nullptr ? cache.rows(0, first + key, keys, shape_.kv_lora_rank)
                                    : view.middle_rows(first - span.first + key, keys);
    };
    const Matrix content{memory.floats, keys, nope, nope};
    up.keys.multiply(latents(span.keys), 0, nope, content, scratch, workspace_.packed);
    if (job_.rotated_keys != nullptr)
      job_.call.position.rotate_from(first + key, *job_.rotated_keys, content, shape_.rotary_dim(),
                                     shape_.rotary_begin());
    for (std::size_t i = 0; i < keys; ++i) {
      std::byte* to = memory.keys + (key + i) * cols_ * 2;
      write_bf16_row(content.row_span(i), to, workspace_.packed);
      std::memcpy(to + 2 * nope_cols_, cache.row(0, first + key + i) + 2 * latent_cols_,
                  2 * (cols_ - nope_cols_));
    }
    const Matrix values{memory.floats, keys, shape_.v_head_dim, shape_.v_head_dim};
    up.values.multiply(latents(span.values), 0, shape_.v_head_dim, values, scratch, workspace_.packed);
    workspace_.attention.interleave_floats(values.data, values.stride, keys, values.cols,
                                           memory.values + key * 32, ValuePanels::kPanelBytes);
  }
  return {.first = first,
          .keys = {.form = ActivationForm::bf16,
                   .rows = count,
                   .cols = cols_,
                   .values = memory.keys,
                   .stride = cols_ * 2},
          .value_panels = memory.values,
          .value_cols = shape_.v_head_dim};
}

}  // namespace

void attend_decompressed(const DecompressedMla& job, Workspace& workspace) {
  Decompressed(job, workspace).run();
}

}  // namespace mla
