#include "nn/mla_head.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "nn/linear.h"

namespace mla {
namespace {

// Query rows handled at once: bounds the score matrix at this times the context.
constexpr std::size_t kQueryBlock = 64;

// How many times longer a key takes in the row-by-row form than in a multiplication of many rows.
constexpr std::size_t kRowByRowCost = 8;

/// Takes matrices from the head's scratch one behind the other.
class Scratch {
 public:
  explicit Scratch(float* memory) : next_(memory) {}
  Matrix matrix(std::size_t rows, std::size_t cols) {
    const Matrix taken{next_, rows, cols, cols};
    next_ += rows * cols;
    return taken;
  }

 private:
  float* next_;
};

/// scores += q_rope k_rope^T
void add_rotary_scores(const MlaHead& head, ConstMatrix q, Matrix scores, const Kernels& kernels) {
  const MlaShape& shape = head.shape;
  if (!shape.decoupled()) return;
  multiply_transposed(q.columns(shape.qk_nope_head_dim, shape.qk_rope_head_dim),
                      head.k_rope().middle_rows(0, scores.cols), scores, kernels, true);
}

/// W_UK and W_UV as float32, one behind the other.
struct DecodedUp {
  Matrix keys;    ///< As MlaUpProjection has it.
  Matrix values;  ///< [v_head_dim, kv_lora_rank]
};

DecodedUp decode_up(const MlaUpProjection& up, Scratch& scratch, const Kernels& kernels) {
  const DecodedUp decoded{scratch.matrix(up.keys.rows(), up.keys.cols()),
                          scratch.matrix(up.values.rows(), up.values.cols())};
  decode_rows(up.keys, 0, up.keys.rows(), decoded.keys.data, kernels);
  decode_rows(up.values, 0, up.values.rows(), decoded.values.data, kernels);
  return decoded;
}

/// The keys' content and the values of the whole cache, side by side in `keys_values`.
void decompress(const MlaHead& head, Scratch& scratch, Matrix keys_values, const Kernels& kernels) {
  const MlaShape& shape = head.shape;
  const DecodedUp up = decode_up(head.up, scratch, kernels);
  if (head.up.keys_transposed) {
    multiply(head.latent(), up.keys, keys_values.columns(0, shape.qk_nope_head_dim), kernels);
    multiply_transposed(head.latent(), up.values,
                        keys_values.columns(shape.qk_nope_head_dim, shape.v_head_dim), kernels);
  } else {
    const Matrix both{up.keys.data, up.keys.rows + up.values.rows, up.keys.cols, up.keys.cols};
    multiply_transposed(head.latent(), both, keys_values, kernels);
  }
}

/// W_UK^T q
void absorb_row(const MlaUpProjection& up, const float* q, float* query, const Kernels& kernels) {
  if (up.keys_transposed) {
    for (std::size_t i = 0; i < up.keys.rows(); ++i) query[i] = dot_row(up.keys, i, q, kernels);
  } else {
    std::fill_n(query, up.keys.cols(), 0.0F);
    for (std::size_t i = 0; i < up.keys.rows(); ++i) add_row(q[i], up.keys, i, query, kernels);
  }
}

/// Shows the observer what became of the query rows from `row` on.
void show(const MlaHead& head, std::size_t row, ConstMatrix k_nope, ConstMatrix probabilities) {
  const std::size_t keys = probabilities.cols;
  head.call.options.observer->head({.layer = head.call.layer,
                                    .head = head.head,
                                    .first_row = row,
                                    .first_key = head.call.batch.offset,
                                    .window = std::nullopt,
                                    .scale = head.shape.softmax_scale,
                                    .q = head.q.middle_rows(row, probabilities.rows),
                                    .k_content = k_nope.middle_rows(0, keys),
                                    .k_rotary = head.k_rope().middle_rows(0, keys),
                                    .probabilities = probabilities,
                                    .out = head.out.middle_rows(row, probabilities.rows)});
}

/// Moves the values at the front to the places `chosen`, which rise, and sets all others to 0.
void spread(std::span<const std::uint32_t> chosen, std::span<float> values) {
  std::size_t left = chosen.size();
  for (std::size_t place = values.size(); place-- > 0;)
    values[place] = left > 0 && chosen[left - 1] == place ? values[--left] : 0.0F;
}

/// Whether the absorbed form goes row by row over the keys that are kept.
bool row_by_row(const MlaHead& head) {
  const std::size_t kept = head.selection.kept();
  return head.q.rows < kGemmRows || (kept > 0 && head.latent().rows > kRowByRowCost * kept);
}

/// Decode step of the absorbed form: one query row, nothing but streams over weights and cache.
void attend_absorbed_row(const MlaHead& head, std::size_t row, Scratch scratch, const Kernels& kernels) {
  const MlaShape& shape = head.shape;
  const std::span<const std::uint32_t> chosen = head.selection.row(row);
  const std::size_t keys = chosen.empty() ? head.keys(row, 1) : chosen.size();
  const auto cached = [&](std::size_t key) { return chosen.empty() ? key : std::size_t{chosen[key]}; };
  const float* q = head.q.row(row);
  float* query = scratch.matrix(1, shape.kv_lora_rank).data;
  float* mixed = scratch.matrix(1, shape.kv_lora_rank).data;
  const Matrix scores = scratch.matrix(1, keys);

  absorb_row(head.up, q, query, kernels);
  for (std::size_t key = 0; key < keys; ++key)
    scores.data[key] =
        kernels.dot_f32(head.latent().row(cached(key)), query, shape.kv_lora_rank) +
        kernels.dot_f32(head.k_rope().row(cached(key)), q + shape.qk_nope_head_dim, shape.qk_rope_head_dim);
  if (chosen.empty())
    head.softmax(row, scores, kernels);
  else
    head.softmax_chosen(row, chosen, scores, kernels);
  std::fill_n(mixed, shape.kv_lora_rank, 0.0F);
  for (std::size_t key = 0; key < keys; ++key)
    kernels.axpy_f32(scores.data[key], head.latent().row(cached(key)), mixed, shape.kv_lora_rank);
  for (std::size_t i = 0; i < shape.v_head_dim; ++i)
    head.out.row(row)[i] = dot_row(head.up.values, i, mixed, kernels);
}

}  // namespace

std::size_t MlaHead::keys(std::size_t row, std::size_t rows) const {
  return call.options.mask == AttentionMask::causal ? call.batch.first + row + rows : latent().rows;
}

void MlaHead::softmax(std::size_t row, Matrix scores, const Kernels& kernels) const {
  for (std::size_t i = 0; i < scores.rows; ++i)
    for (float& score : scores.row_span(i)) score *= shape.softmax_scale;
  const std::size_t offset = call.batch.offset;
  call.position.add_score_bias({.head = head, .first_query = call.batch.position(row), .first_key = offset},
                               scores);
  for (std::size_t i = 0; i < scores.rows; ++i) {
    const std::span<float> values = scores.row_span(i);
    const std::span<const std::uint32_t> chosen = selection.row(row + i);
    if (!chosen.empty()) {
      for (std::size_t key = 0; key < chosen.size(); ++key) values[key] = values[chosen[key]];
      kernels.softmax(values.data(), chosen.size());
      spread(chosen, values);
      continue;
    }
    const std::size_t visible = keys(row + i, 1);
    kernels.softmax(values.data(), visible);
    std::fill(values.begin() + static_cast<std::ptrdiff_t>(visible), values.end(), 0.0F);
  }
}

void MlaHead::softmax_chosen(std::size_t row, std::span<const std::uint32_t> chosen, Matrix scores,
                             const Kernels& kernels) const {
  for (float& score : scores.row_span(0)) score *= shape.softmax_scale;
  call.position.add_score_bias({.head = head,
                                .first_query = call.batch.position(row),
                                .first_key = call.batch.offset,
                                .chosen = chosen},
                               scores);
  kernels.softmax(scores.data, scores.cols);
}

std::size_t absorbed_keys(std::size_t rows, std::size_t context, std::size_t kept) {
  return std::min(context, rows < kGemmRows ? kept : kRowByRowCost * kept);
}

std::size_t mla_head_scratch(const MlaShape& shape, std::size_t rows, std::size_t context) {
  const std::size_t up = shape.qk_nope_head_dim + shape.v_head_dim;
  const std::size_t block = std::min(rows, kQueryBlock);
  return up * shape.kv_lora_rank + context * up + block * context + 2 * block * shape.kv_lora_rank;
}

void attend_decompressed(const MlaHead& head, float* memory, const Kernels& kernels) {
  const MlaShape& shape = head.shape;
  Scratch scratch(memory);
  const Matrix keys_values = scratch.matrix(head.latent().rows, shape.qk_nope_head_dim + shape.v_head_dim);
  decompress(head, scratch, keys_values, kernels);
  const Matrix k_nope = keys_values.columns(0, shape.qk_nope_head_dim);
  const Matrix values = keys_values.columns(shape.qk_nope_head_dim, shape.v_head_dim);
  if (head.rotated_keys != nullptr)
    head.call.position.rotate(*head.rotated_keys, k_nope, shape.rotary_dim(), shape.rotary_begin());

  for (std::size_t row = 0; row < head.q.rows; row += kQueryBlock) {
    const std::size_t rows = std::min(kQueryBlock, head.q.rows - row);
    const std::size_t keys = head.keys(row, rows);
    const ConstMatrix q = head.q.middle_rows(row, rows);
    const Matrix scores = Scratch(scratch).matrix(rows, keys);
    multiply_transposed(q.columns(0, shape.qk_nope_head_dim), k_nope.middle_rows(0, keys), scores, kernels);
    add_rotary_scores(head, q, scores, kernels);
    head.softmax(row, scores, kernels);
    multiply(scores, values.middle_rows(0, keys), head.out.middle_rows(row, rows), kernels);
    if (head.call.options.observer != nullptr) show(head, row, k_nope, scores);
  }
}

void attend_absorbed(const MlaHead& head, float* memory, const Kernels& kernels) {
  const MlaShape& shape = head.shape;
  Scratch scratch(memory);
  if (row_by_row(head)) {
    for (std::size_t row = 0; row < head.q.rows; ++row) attend_absorbed_row(head, row, scratch, kernels);
    return;
  }
  const DecodedUp up = decode_up(head.up, scratch, kernels);

  for (std::size_t row = 0; row < head.q.rows; row += kQueryBlock) {
    const std::size_t rows = std::min(kQueryBlock, head.q.rows - row);
    const std::size_t keys = head.keys(row, rows);
    const ConstMatrix q = head.q.middle_rows(row, rows);
    Scratch block = scratch;
    const Matrix query = block.matrix(rows, shape.kv_lora_rank);
    const Matrix mixed = block.matrix(rows, shape.kv_lora_rank);
    const Matrix scores = block.matrix(rows, keys);
    const auto absorb = head.up.keys_transposed ? multiply_transposed : multiply;
    absorb(q.columns(0, shape.qk_nope_head_dim), up.keys, query, kernels, false);
    multiply_transposed(query, head.latent().middle_rows(0, keys), scores, kernels);
    add_rotary_scores(head, q, scores, kernels);
    head.softmax(row, scores, kernels);
    multiply(scores, head.latent().middle_rows(0, keys), mixed, kernels);
    multiply_transposed(mixed, up.values, head.out.middle_rows(row, rows), kernels);
  }
}

}  // namespace mla
