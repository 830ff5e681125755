// How far one model's logits are from another's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mla/perplexity.h"
#include "mla/tokenizer.h"
#include "runtime/moments.h"

namespace mla {

/// KL(reference || model) = sum_i p_i (ln p_i - ln q_i), in nats, with p and q the softmax of the reference's and the
/// model's logits; of equal sizes. Computed in double; exactly 0 for equal logits and never less.
double kl_divergence(std::span<const float> reference, std::span<const float> logits);

/// The perplexity that goes with the negative log-likelihoods of some tokens, at least one.
PerplexityResult perplexity_of(const Moments& nll);

/// Collects token by token.
class Divergence {
 public:
  void add(std::span<const float> reference, std::span<const float> logits, TokenId target);
  /// Of at least one token.
  DivergenceResult result() const;

 private:
  Moments kl_;
  Moments nll_;
  Moments reference_nll_;
  std::vector<double> kl_values_;
  std::size_t same_top_ = 0;
};

}  // namespace mla
