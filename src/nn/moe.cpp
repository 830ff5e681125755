#include "nn/moe.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace mla {
namespace {

/// The (token, choice) pairs of a batch, grouped by expert: an expert's slots follow one another, tokens in
/// order.
struct Grouping {
  std::span<std::size_t> first_slot;     ///< [n_routed_experts + 1]
  std::span<std::size_t> slot_of_pair;   ///< [tokens * top_k]
  std::span<std::size_t> token_of_slot;  ///< [tokens * top_k]
};

Grouping group_by_expert(std::span<const ExpertChoice> choices, std::size_t top_k, std::size_t experts,
                         Arena& arena) {
  const Grouping grouping{arena.list<std::size_t>(experts + 1), arena.list<std::size_t>(choices.size()),
                          arena.list<std::size_t>(choices.size())};
  std::fill(grouping.first_slot.begin(), grouping.first_slot.end(), std::size_t{0});
  for (const ExpertChoice& choice : choices) ++grouping.first_slot[choice.expert + 1];
  std::partial_sum(grouping.first_slot.begin(), grouping.first_slot.end(), grouping.first_slot.begin());
  const std::span<std::size_t> next = arena.list<std::size_t>(experts);
  std::copy_n(grouping.first_slot.begin(), experts, next.begin());
  for (std::size_t pair = 0; pair < choices.size(); ++pair) {
    const std::size_t slot = next[choices[pair].expert]++;
    grouping.slot_of_pair[pair] = slot;
    grouping.token_of_slot[slot] = pair / top_k;
  }
  return grouping;
}

bool sees_floats(const SwiGlu& expert) {
  return !expert.gate_proj.is_packed() || !expert.up_proj.is_packed();
}

}  // namespace

void Moe::forward(ConstMatrix x, Workspace& workspace, Matrix out) const {
  const Arena::Scope scope(workspace.arena);
  const std::size_t top_k = router_.shape().top_k;
  const std::size_t routed = router_.shape().n_routed_experts;
  const Matrix logits = workspace.arena.matrix(x.rows, routed);
  gate_.forward(x, logits, workspace);
  const std::span<ExpertChoice> choices = workspace.arena.list<ExpertChoice>(x.rows * top_k);
  for (std::size_t row = 0; row < x.rows; ++row)
    router_.choose(logits.row_span(row), workspace.arena, choices.subspan(row * top_k, top_k));
  const Grouping grouping = group_by_expert(choices, top_k, routed, workspace.arena);

  const std::size_t slots = grouping.first_slot[experts_.size()];  // Zero experts come last and need none.
  LinearInput input = x;
  for (const SwiGlu& expert : experts_) add_forms(input, expert, workspace);
  if (shared_) add_forms(input, *shared_, workspace);
  const std::span<const std::size_t> tokens(grouping.token_of_slot.data(), slots);
  const LinearInput gathered =
      input.gather(tokens, std::any_of(experts_.begin(), experts_.end(), sees_floats), workspace);
  const Matrix results = workspace.arena.matrix(slots, x.cols);

  const std::span<SwiGluJob> jobs = workspace.arena.list<SwiGluJob>(std::min(slots, experts_.size()) + 1);
  std::size_t wanted = 0;
  for (std::size_t expert = 0; expert < experts_.size(); ++expert) {
    const std::size_t first = grouping.first_slot[expert];
    const std::size_t count = grouping.first_slot[expert + 1] - first;
    if (count == 0) continue;
    jobs[wanted++] = {&experts_[expert], gathered.middle_rows(first, count),
                      results.middle_rows(first, count)};
  }
  if (shared_) jobs[wanted++] = {&*shared_, input, out};
  run_swiglu(jobs.first(wanted), workspace);

  for_rows(workspace, x.rows, top_k * x.cols, [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row) {
      if (!shared_) std::fill_n(out.row(row), x.cols, 0.0F);
      for (std::size_t pair = row * top_k; pair < (row + 1) * top_k; ++pair) {
        const std::size_t slot = grouping.slot_of_pair[pair];
        const float* result = slot < slots ? results.row(slot) : x.row(row);
        workspace.kernels.axpy_f32(choices[pair].weight, result, out.row(row), x.cols);
      }
    }
  });
}

void Moe::visit_linears(const LinearVisitor& visit) {
  visit(gate_, LinearRole::router);
  for (SwiGlu& expert : experts_) mla::visit_linears(expert, visit);
  if (shared_) mla::visit_linears(*shared_, visit);
}

}  // namespace mla
