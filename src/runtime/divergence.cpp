#include "runtime/divergence.h"

#include <algorithm>
#include <cmath>

#include "runtime/likelihood.h"

namespace mla {
namespace {

std::ptrdiff_t most_likely(std::span<const float> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

/// The least value that at least 99 of 100 do not exceed (the nearest rank).
double percentile_99(std::vector<double> values) {
  const std::size_t rank = (99 * values.size() + 99) / 100;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

double kl_divergence(std::span<const float> reference, std::span<const float> logits) {
  const double reference_normalizer = log_sum_exp(reference);
  const double normalizer = log_sum_exp(logits);
  double sum = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double log_p = reference[i] - reference_normalizer;
    const double log_q = logits[i] - normalizer;
    sum += std::exp(log_p) * (log_p - log_q);
  }
  return std::max(0.0, sum);  // Rounding can take a tiny sum below 0.
}

void Divergence::add(std::span<const float> reference, std::span<const float> logits, TokenId target) {
  const double kl = kl_divergence(reference, logits);
  kl_.add(kl);
  kl_values_.push_back(kl);
  nll_.add(negative_log_likelihood(logits, target));
  reference_nll_.add(negative_log_likelihood(reference, target));
  if (most_likely(reference) == most_likely(logits)) ++same_top_;
}

DivergenceResult Divergence::result() const {
  DivergenceResult result;
  result.model = perplexity_of(nll_);
  result.reference = perplexity_of(reference_nll_);
  result.perplexity_ratio = std::exp(nll_.mean() - reference_nll_.mean());
  result.mean_kl = kl_.mean();
  result.kl_standard_error = kl_.standard_error();
  result.kl_99 = percentile_99(kl_values_);
  result.greatest_kl = *std::max_element(kl_values_.begin(), kl_values_.end());
  result.same_top = static_cast<double>(same_top_) / static_cast<double>(kl_.count());
  return result;
}

}  // namespace mla
