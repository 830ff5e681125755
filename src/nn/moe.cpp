#include "nn/moe.h"

#include <algorithm>
#include <numeric>

namespace mla {
namespace {

/// The (token, choice) pairs of a batch, grouped by expert: an expert's slots follow one another, tokens in
/// order.
struct Grouping {
  std::vector<std::size_t> first_slot;     ///< [n_routed_experts + 1]
  std::vector<std::size_t> slot_of_pair;   ///< [tokens * top_k]
  std::vector<std::size_t> token_of_slot;  ///< [tokens * top_k]
};

Grouping group_by_expert(const std::vector<ExpertChoice>& choices, std::size_t top_k, std::size_t experts) {
  Grouping grouping;
  grouping.first_slot.assign(experts + 1, 0);
  for (const ExpertChoice& choice : choices) ++grouping.first_slot[choice.expert + 1];
  std::partial_sum(grouping.first_slot.begin(), grouping.first_slot.end(), grouping.first_slot.begin());
  std::vector<std::size_t> next(grouping.first_slot.begin(), grouping.first_slot.end() - 1);
  grouping.slot_of_pair.resize(choices.size());
  grouping.token_of_slot.resize(choices.size());
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
  std::vector<ExpertChoice> choices;
  for (std::size_t row = 0; row < x.rows; ++row) {
    const std::vector<ExpertChoice> chosen = router_.choose(logits.row_span(row));
    choices.insert(choices.end(), chosen.begin(), chosen.end());
  }
  const Grouping grouping = group_by_expert(choices, top_k, routed);

  const std::size_t slots = grouping.first_slot[experts_.size()];  // Zero experts come last and need none.
  LinearInput input = x;
  for (const SwiGlu& expert : experts_) add_forms(input, expert, workspace);
  if (shared_) add_forms(input, *shared_, workspace);
  const std::span<const std::size_t> tokens(grouping.token_of_slot.data(), slots);
  const LinearInput gathered =
      input.gather(tokens, std::any_of(experts_.begin(), experts_.end(), sees_floats), workspace);
  const Matrix results = workspace.arena.matrix(slots, x.cols);

  std::vector<SwiGluJob> jobs;
  for (std::size_t expert = 0; expert < experts_.size(); ++expert) {
    const std::size_t first = grouping.first_slot[expert];
    const std::size_t count = grouping.first_slot[expert + 1] - first;
    if (count == 0) continue;
    jobs.push_back(
        {&experts_[expert], gathered.middle_rows(first, count), results.middle_rows(first, count)});
  }
  if (shared_) jobs.push_back({&*shared_, input, out});
  run_swiglu(jobs, workspace);

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
