#include "runtime/likelihood.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace mla {

double negative_log_likelihood(std::span<const float> logits, TokenId target) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(logit - top);
  return top + std::log(sum) - logits[static_cast<std::size_t>(target)];
}

}  // namespace mla
