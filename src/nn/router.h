// Which experts a token goes to, and with what weight.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/arena.h"

namespace mla {

/// The ways of DeepSeek-V2 (softmax; transformers' DeepseekV2Moe), V3 (sigmoid, `noaux_tc`; DeepseekV3TopkRouter),
/// Mistral 4 (Mistral4TopkRouter) and LongCat-Flash (LongcatFlashTopkRouter). "Bias" is the correction bias, which
/// counts where experts are chosen and not in their weights.
enum class RouterKind {
  softmax_greedy,         ///< The top_k largest probabilities of all.
  softmax_group_limited,  ///< The same among the topk_group groups whose largest probability is largest.
  softmax_group_pairs,    ///< The same, groups by the sum of their two largest probabilities (Mistral 4).
  softmax_corrected,      ///< The top_k largest of probability + bias (LongCat-Flash).
  sigmoid_noaux_tc,       ///< Chosen by sigmoid + bias, groups by the sum of their two best.
};

bool has_groups(RouterKind kind);
bool has_correction_bias(RouterKind kind);

struct RouterShape {
  RouterKind kind = RouterKind::softmax_greedy;
  std::size_t n_routed_experts = 0;
  std::size_t top_k = 0;
  std::size_t n_group = 1;      ///< Divides n_routed_experts; groups are runs of consecutive experts.
  std::size_t topk_group = 1;   ///< At most n_group; its experts are at least top_k.
  bool norm_topk_prob = false;  ///< The chosen weights are divided by their sum.
  float routed_scaling_factor = 1.0F;
};

struct ExpertChoice {
  std::size_t expert;
  float weight;
};

class Router {
 public:
  Router() = default;
  /// `correction_bias` (e_score_correction_bias) is [n_routed_experts] for kinds that have one, otherwise empty.
  Router(const RouterShape& shape, std::vector<float> correction_bias);

  const RouterShape& shape() const { return shape_; }

  /// One token's router logits [n_routed_experts] -> its top_k experts, in `chosen` in ascending order of their
  /// numbers. Ties go to the lower number.
  void choose(std::span<const float> logits, Arena& arena, std::span<ExpertChoice> chosen) const;

 private:
  void mask_groups(std::span<float> scores, Arena& arena) const;

  RouterShape shape_;
  std::vector<float> correction_bias_;
};

}  // namespace mla
