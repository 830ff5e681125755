#include "runtime/likelihood.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace mla {

double log_sum_exp(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(logit - top);
  return top + std::log(sum);
}

double negative_log_likelihood(std::span<const float> logits, TokenId target) {
  return log_sum_exp(logits) - logits[static_cast<std::size_t>(target)];
}

}  // namespace mla
