#include "nn/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace mla {
namespace {

// The softmax kinds mask with 0 in the reference: the same, as no probability is negative.
constexpr float kMasked = -std::numeric_limits<float>::infinity();

/// The numbers of the `count` largest scores, in ascending order.
std::span<const std::size_t> largest(std::span<const float> scores, std::size_t count, Arena& arena) {
  const std::span<std::size_t> order = arena.list<std::size_t>(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(order.begin(), middle, order.end(), [&](std::size_t a, std::size_t b) {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  });
  std::sort(order.begin(), middle);
  return order.first(count);
}

void softmax(std::span<float> values) {
  const float top = *std::max_element(values.begin(), values.end());
  float sum = 0.0F;
  for (float& value : values) sum += value = std::exp(value - top);
  for (float& value : values) value /= sum;
}

float sum_of_two_best(std::span<const float> scores) {
  float best = kMasked;
  float second = kMasked;
  for (const float score : scores) {
    second = std::max(second, std::min(best, score));
    best = std::max(best, score);
  }
  return best + second;
}

}  // namespace

bool has_groups(RouterKind kind) {
  return kind != RouterKind::softmax_greedy && kind != RouterKind::softmax_corrected;
}

bool has_correction_bias(RouterKind kind) {
  return kind == RouterKind::softmax_corrected || kind == RouterKind::sigmoid_noaux_tc;
}

Router::Router(const RouterShape& shape, std::vector<float> correction_bias)
    : shape_(shape), correction_bias_(std::move(correction_bias)) {}

void Router::mask_groups(std::span<float> scores, Arena& arena) const {
  const std::size_t size = shape_.n_routed_experts / shape_.n_group;
  const std::span<float> group_scores = arena.list<float>(shape_.n_group);
  for (std::size_t group = 0; group < shape_.n_group; ++group) {
    const std::span<const float> members = scores.subspan(group * size, size);
    group_scores[group] = shape_.kind == RouterKind::softmax_group_limited
                              ? *std::max_element(members.begin(), members.end())
                              : sum_of_two_best(members);
  }
  const std::span<const std::size_t> kept = largest(group_scores, shape_.topk_group, arena);
  for (std::size_t group = 0; group < shape_.n_group; ++group)
    if (!std::binary_search(kept.begin(), kept.end(), group))
      std::fill_n(scores.begin() + static_cast<std::ptrdiff_t>(group * size), size, kMasked);
}

void Router::choose(std::span<const float> logits, Arena& arena, std::span<ExpertChoice> chosen) const {
  const Arena::Scope scope(arena);
  const bool sigmoid = shape_.kind == RouterKind::sigmoid_noaux_tc;
  const std::span<float> scores = arena.list<float>(logits.size());
  std::copy(logits.begin(), logits.end(), scores.begin());
  if (sigmoid)
    for (float& score : scores) score = 1.0F / (1.0F + std::exp(-score));
  else
    softmax(scores);

  const std::span<float> ranking = arena.list<float>(scores.size());
  std::copy(scores.begin(), scores.end(), ranking.begin());
  for (std::size_t i = 0; i < correction_bias_.size(); ++i) ranking[i] += correction_bias_[i];
  if (has_groups(shape_.kind)) mask_groups(ranking, arena);

  const std::span<const std::size_t> best = largest(ranking, shape_.top_k, arena);
  float sum = 0.0F;
  for (std::size_t i = 0; i < best.size(); ++i) {
    chosen[i] = {best[i], scores[best[i]]};
    sum += chosen[i].weight;
  }
  for (ExpertChoice& choice : chosen) {
    if (shape_.norm_topk_prob) choice.weight /= sum + 1e-20F;
    choice.weight *= shape_.routed_scaling_factor;
  }
}

}  // namespace mla
