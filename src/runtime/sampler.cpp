#include "mla/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "mla/error.h"

namespace mla {
namespace {

void expect(bool holds, const char* option, double found, const char* expected) {
  if (holds) return;
  char text[48];
  std::snprintf(text, sizeof text, "%g", found);
  throw Error(ErrorCode::argument, "", option, std::string("found ") + text + ", expected " + expected);
}

bool is_share(double value) {
  return value >= 0.0 && value <= 1.0;
}

}  // namespace

void check(const SamplerOptions& options) {
  constexpr double kMost = 1e6;
  const auto moderate = [](double value) { return std::abs(value) <= kMost; };  // False for NaN, too.
  expect(options.repetition_penalty > 0.0 && moderate(options.repetition_penalty), "repetition-penalty",
         options.repetition_penalty, "a positive number");
  expect(moderate(options.presence_penalty), "presence-penalty", options.presence_penalty, "a number");
  expect(moderate(options.frequency_penalty), "frequency-penalty", options.frequency_penalty, "a number");
  expect(options.temperature >= 0.0 && moderate(options.temperature), "temp", options.temperature,
         "a number of at least 0");
  expect(options.top_k >= 0, "top-k", static_cast<double>(options.top_k), "an integer of at least 0");
  expect(is_share(options.top_p), "top-p", options.top_p, "a number from 0 to 1");
  expect(is_share(options.min_p), "min-p", options.min_p, "a number from 0 to 1");
  expect(is_share(options.typical_p), "typical-p", options.typical_p, "a number from 0 to 1");
}

namespace {

// Between the steps the values are probabilities that sum to 1. A vocabulary is large and what is kept of it
// small, so no step sorts all candidates.

template <typename Candidates>
void to_probabilities(Candidates& candidates, double temperature) {
  double top = candidates.front().value;
  for (const auto& candidate : candidates) top = std::max(top, candidate.value);
  double sum = 0.0;
  for (auto& candidate : candidates) sum += candidate.value = std::exp((candidate.value - top) / temperature);
  for (auto& candidate : candidates) candidate.value /= sum;
}

template <typename Candidates>
void renormalize(Candidates& candidates) {
  double sum = 0.0;
  for (const auto& candidate : candidates) sum += candidate.value;
  for (auto& candidate : candidates) candidate.value /= sum;
}

/// Keeps the candidates that come first by `before` and together reach `share`, at least one.
template <typename Candidates, typename Before>
void keep_share(Candidates& candidates, double share, Before before) {
  // A heap gives the first ones in order without sorting the rest; its comparison puts the greatest first.
  const auto after = [&](const auto& a, const auto& b) { return before(b, a); };
  std::make_heap(candidates.begin(), candidates.end(), after);
  auto rest = candidates.end();
  double sum = 0.0;
  while (rest != candidates.begin() && sum < share) {
    std::pop_heap(candidates.begin(), rest, after);
    sum += (--rest)->value;
  }
  if (rest == candidates.end()) {
    std::pop_heap(candidates.begin(), rest, after);
    --rest;
  }
  candidates.erase(candidates.begin(), rest);
  renormalize(candidates);
}

template <typename Candidates>
void keep_likely(Candidates& candidates, double min_p) {
  double top = 0.0;
  for (const auto& candidate : candidates) top = std::max(top, candidate.value);
  std::erase_if(candidates, [&](const auto& candidate) { return candidate.value < min_p * top; });
  renormalize(candidates);
}

template <typename Candidates>
void keep_typical(Candidates& candidates, double share) {
  double entropy = 0.0;
  for (const auto& candidate : candidates)
    if (candidate.value > 0.0) entropy -= candidate.value * std::log(candidate.value);
  const auto distance = [&](const auto& candidate) { return std::abs(-std::log(candidate.value) - entropy); };
  keep_share(candidates, share, [&](const auto& a, const auto& b) {
    return distance(a) < distance(b) || (distance(a) == distance(b) && a.id < b.id);
  });
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options), random_(options.seed) {
  check(options);
}

void Sampler::accept(TokenId id) {
  const auto index = static_cast<std::size_t>(id);
  if (seen_.size() <= index) seen_.resize(index + 1, 0);
  ++seen_[index];
}

void Sampler::penalize(std::vector<Candidate>& candidates) const {
  for (std::size_t id = 0; id < std::min(seen_.size(), candidates.size()); ++id) {
    if (seen_[id] == 0) continue;
    double& logit = candidates[id].value;
    logit = logit > 0.0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
    logit -= options_.presence_penalty + options_.frequency_penalty * seen_[id];
  }
}

TokenId Sampler::sample(std::span<const float> logits) {
  std::vector<Candidate> candidates(logits.size());
  for (std::size_t id = 0; id < logits.size(); ++id) candidates[id] = {static_cast<TokenId>(id), logits[id]};
  penalize(candidates);
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.value > b.value || (a.value == b.value && a.id < b.id);
  };
  if (options_.temperature == 0.0)
    return std::min_element(candidates.begin(), candidates.end(), likelier)->id;

  const std::size_t all = candidates.size();
  to_probabilities(candidates, options_.temperature);
  if (options_.top_k > 0 && static_cast<std::size_t>(options_.top_k) < all) {
    const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(options_.top_k);
    std::nth_element(candidates.begin(), end, candidates.end(), likelier);
    candidates.erase(end, candidates.end());
    renormalize(candidates);
  }
  if (options_.top_p < 1.0) keep_share(candidates, options_.top_p, likelier);
  if (options_.min_p > 0.0) keep_likely(candidates, options_.min_p);
  if (options_.typical_p < 1.0) keep_typical(candidates, options_.typical_p);
  // In one order, whatever the steps left: what a seed draws must not depend on a library's way of selecting.
  if (candidates.size() < all)
    std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return draw(candidates);
}

TokenId Sampler::draw(const std::vector<Candidate>& candidates) {
  // 53 random bits as a double in [0, 1): std::uniform_real_distribution may differ from library to library.
  double left = static_cast<double>(random_() >> 11) * 0x1.0p-53;
  for (const Candidate& candidate : candidates) {
    left -= candidate.value;
    if (left < 0.0) return candidate.id;
  }
  return candidates.back().id;
}

}  // namespace mla
