// Verdicts on what training makes of each encoding.
#include <algorithm>
#include <string>

#include "lab/claims.h"
#include "lab/report_numbers.h"

namespace mla::lab {
namespace {

using namespace threshold;

constexpr const char* kNotTrained = "It takes the trained figures (mla compare --trained).";

std::optional<double> value(const ReportData& data, std::string_view name, std::string_view task,
                            std::string_view at) {
  const auto estimate = data.trained(name, task, at);
  return estimate ? std::optional(estimate->value) : std::nullopt;
}

std::string perplexity(const ReportData& data, std::string_view name, std::string_view at) {
  return estimate_text(data.trained(name, "perplexity", at));
}

Claim none_learns_order(const ReportData& data) {
  Claim claim{"trained-none", "A model without an encoding cannot know who chased whom.", Verdict::unmeasured,
              kNotTrained};
  const auto accuracy = value(data, "none", "word_order", "1");
  if (!accuracy) return claim;
  const bool knows = *accuracy >= kLearned;
  // That one model did not learn it does not prove that none could.
  claim.verdict = knows ? Verdict::refuted : Verdict::limited;
  claim.evidence = "The trained decoder without an encoding answers " +
                   percent_text(data.trained("none", "word_order", "1")) +
                   " of such questions right; guessing has 50 %." +
                   (knows ? " The causal mask is enough to learn order from."
                          : " The causal mask would tell it, but this model has not learned to make use of "
                            "that. Larger ones "
                            "have (Haviv et al. 2022), so it is hard, not impossible.");
  return claim;
}

Claim integer_useless(const ReportData& data) {
  Claim claim{"trained-integer", "A model cannot learn from integer positions.", Verdict::unmeasured,
              kNotTrained};
  const auto integer = value(data, "integer", "perplexity", "1");
  const auto none = value(data, "none", "perplexity", "1");
  if (!integer || !none) return claim;
  claim.verdict = *integer > *none * kAsGood   ? Verdict::confirmed
                  : *integer > *none / kAsGood ? Verdict::limited
                                               : Verdict::refuted;
  claim.evidence = "At the trained length its perplexity is " + perplexity(data, "integer", "1") +
                   ", against " + perplexity(data, "none", "1") +
                   " without any encoding. Within 5 % counts as equal.";
  return claim;
}

Claim jumps_hurt(const ReportData& data) {
  Claim claim{"trained-binary", "The jumps of binary positions make training harder.", Verdict::unmeasured,
              kNotTrained};
  const auto binary = value(data, "binary", "perplexity", "1");
  const auto smooth = value(data, "sinusoidal", "perplexity", "1");
  if (!binary || !smooth) return claim;
  claim.verdict = *binary > *smooth * kExtrapolates ? Verdict::confirmed
                  : *binary > *smooth * kAsGood     ? Verdict::limited
                                                    : Verdict::refuted;
  claim.evidence = "Perplexity " + perplexity(data, "binary", "1") + " with bits, " +
                   perplexity(data, "sinusoidal", "1") +
                   " with waves. The positions are inputs, not weights: no gradient passes through them, so "
                   "a jump in them is nothing to differentiate.";
  return claim;
}

/// How a figure that should not grow has grown: up to `good` it has held, from kBreaksDown on it has not.
Verdict verdict_of_growth(double from, double to, double good) {
  const double ratio = to / from;
  return ratio <= good ? Verdict::confirmed : ratio <= kBreaksDown ? Verdict::limited : Verdict::refuted;
}

Claim extrapolates(const ReportData& data, std::string_view id, std::string_view text,
                   std::string_view name) {
  Claim claim{id, text, Verdict::unmeasured, kNotTrained};
  const auto within = value(data, name, "perplexity", "1");
  const auto beyond = value(data, name, "perplexity", "4");
  if (!within || !beyond) return claim;
  claim.verdict = verdict_of_growth(*within, *beyond, kExtrapolates);
  claim.evidence = "Perplexity " + perplexity(data, name, "1") + " at the trained length, " +
                   perplexity(data, name, "2") + " at twice and " + perplexity(data, name, "4") +
                   " at four times that. A tenth more at most counts as held, twice as much as broken down.";
  return claim;
}

Claim shift_does_not_matter(const ReportData& data, std::string_view id, std::string_view text,
                            std::string_view name) {
  Claim claim{id, text, Verdict::unmeasured, kNotTrained};
  const auto still = value(data, name, "phase_shift", "0");
  const auto shifted = value(data, name, "phase_shift", "128");
  if (!still || !shifted) return claim;
  claim.verdict = verdict_of_growth(*still, *shifted, kAsGood);
  claim.evidence = "The same texts, counted from position 128 on instead of 0: perplexity " +
                   estimate_text(data.trained(name, "phase_shift", "128")) + " instead of " +
                   estimate_text(data.trained(name, "phase_shift", "0")) + ".";
  return claim;
}

/// The best encoding of those measured: the lowest figure.
Claim best_at_trained_length(const ReportData& data) {
  Claim claim{"trained-best",
              "Each encoding of the story beats the one before, and decoupled RoPE beats all.",
              Verdict::unmeasured, kNotTrained};
  std::vector<std::pair<double, std::string>> order;
  for (const auto& name : data.trained_names())
    if (const auto one = value(data, name, "perplexity", "1")) order.emplace_back(*one, name);
  if (order.size() < 3) return claim;
  const auto story = order;
  std::ranges::sort(order);
  const bool rope_best = order.front().second == "rope-decoupled";
  const auto& runner_up = order[1];
  std::string list;
  for (const auto& [figure, name] : order)
    list += (list.empty() ? "" : ", ") + name + " " + perplexity(data, name, "1");
  bool falling = true;
  const std::vector<std::string> steps = {"none",       "integer", "binary",
                                          "sinusoidal", "learned", "rope-decoupled"};
  double last = 0.0;
  for (const auto& name : steps) {
    const auto found = std::ranges::find(story, name, &std::pair<double, std::string>::second);
    if (found == story.end()) continue;
    falling = falling && (last == 0.0 || found->first <= last * kAsGood);
    last = found->first;
  }
  const bool ahead = order.front().first * 1.01 < runner_up.first;
  claim.verdict = falling && rope_best && ahead ? Verdict::confirmed
                  : rope_best                   ? Verdict::limited
                                                : Verdict::refuted;
  const auto close = std::ranges::count_if(
      order, [&](const auto& one) { return one.first <= order.front().first * kAsGood; });
  claim.evidence = "Perplexity at the trained length, from the best: " + list + ".";
  if (close > 1) claim.evidence += " The first " + std::to_string(close) + " lie within 5 % of each other.";
  return claim;
}

}  // namespace

std::vector<Claim> judge_trained(const ReportData& data) {
  return {none_learns_order(data),
          integer_useless(data),
          jumps_hurt(data),
          extrapolates(data, "trained-sinusoidal-length",
                       "Sinusoidal positions carry on to longer texts than were trained.", "sinusoidal"),
          extrapolates(data, "trained-rope-length", "RoPE carries on to longer texts than were trained.",
                       "rope-decoupled"),
          extrapolates(data, "trained-alibi-length", "ALiBi carries on to longer texts than were trained.",
                       "alibi"),
          shift_does_not_matter(data, "trained-sinusoidal-shift",
                                "Waves know distances, so it does not matter where the counting starts.",
                                "sinusoidal"),
          shift_does_not_matter(data, "trained-rope-shift",
                                "With RoPE it does not matter where the counting starts.", "rope-decoupled"),
          best_at_trained_length(data)};
}

}  // namespace mla::lab
