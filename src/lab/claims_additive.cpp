// Verdicts on the encodings that add a vector to each embedding.
#include <algorithm>
#include <cmath>

#include "lab/claims.h"
#include "lab/encoding_shape.h"
#include "lab/report_numbers.h"

namespace mla::lab {
namespace {

using namespace threshold;

constexpr const char* kNoRow = "The comparison has no row of this encoding.";
constexpr const char* kNoValues = "The encoding's own values were not given.";

/// "length × 8.1, cosine 0.21"
std::string pollution_text(const ReportData& data, std::string_view name) {
  return "length × " + figure_text(data.figure(name, "norm_inflation")) + ", cosine to the word " +
         figure_text(data.figure(name, "pollution_cosine"));
}

Claim integer_swamps(const ReportData& data) {
  Claim claim{"integer-swamps", "Integer positions swamp the embedding.", Verdict::unmeasured, kNoRow};
  const auto inflation = data.figure("integer", "norm_inflation");
  const auto cosine = data.figure("integer", "pollution_cosine");
  if (!inflation || !cosine) return claim;
  const bool swamped = *inflation >= kSwampInflation && *cosine <= kSwampCosine;
  const bool marked = *inflation >= kSwampInflation || *cosine <= kHarmless;
  claim.verdict = swamped ? Verdict::confirmed : marked ? Verdict::limited : Verdict::refuted;
  claim.evidence = "Over the positions of this text: " + pollution_text(data, "integer") +
                   ". Swamped means at least twice as long and a cosine of at most 0.7.";
  return claim;
}

Claim integer_worst(const ReportData& data) {
  Claim claim{"integer-worst", "Of all encodings that add, integer pollutes most.", Verdict::unmeasured,
              "It takes integer and at least one other encoding that adds."};
  const auto names = data.additive();
  if (names.size() < 2 || std::ranges::find(names, "integer") == names.end()) return claim;
  const auto cosine = [&](const auto& name) { return data.figure(name, "pollution_cosine").value_or(1.0); };
  const auto worst = *std::ranges::min_element(names, {}, cosine);
  claim.verdict = worst == "integer" ? Verdict::confirmed : Verdict::refuted;
  claim.evidence =
      "The lowest cosine to the word is that of " + worst + ": " + figure_text(cosine(worst)) +
      (worst == "integer" ? "." : ", against " + figure_text(cosine("integer")) + " of integer.");
  return claim;
}

Claim binary_harmless(const ReportData& data) {
  Claim claim{"binary-harmless",
              "Bits are of the embedding's own size, so the word's meaning stays as it is.",
              Verdict::unmeasured, kNoRow};
  const auto cosine = data.figure("binary", "pollution_cosine");
  if (!cosine) return claim;
  claim.verdict = *cosine >= kPolluted   ? Verdict::confirmed
                  : *cosine >= kHarmless ? Verdict::limited
                                         : Verdict::refuted;
  claim.evidence = "Measured: " + pollution_text(data, "binary") +
                   ". Untouched would be a cosine of at least 0.99, nearly so one of 0.95.";
  return claim;
}

Claim binary_bits(const ReportData& data) {
  Claim claim{"binary-bits",
              "Bit k flips every 2ᵏ positions: the lowest at each step, the highest hardly ever.",
              Verdict::unmeasured, kNoValues};
  const EncodingValues values = data.values("binary");
  if (values.size() < 3) return claim;
  std::size_t bits = 0;
  for (; bits < values[0].size() && (std::size_t{1} << bits) < values.size(); ++bits) {
    const std::size_t period = std::size_t{1} << bits;
    const auto flips = changes(values, bits);
    bool as_said = flips.size() == (values.size() - 1) / period;
    for (std::size_t i = 0; i < flips.size(); ++i) as_said = as_said && flips[i] == (i + 1) * period;
    if (as_said) continue;
    claim.verdict = Verdict::refuted;
    claim.evidence = "Bit " + std::to_string(bits) + " does not.";
    return claim;
  }
  claim.verdict = Verdict::confirmed;
  claim.evidence = "Counted for the " + std::to_string(bits) + " lowest bits over positions 0 to " +
                   std::to_string(values.size() - 1) + ".";
  return claim;
}

Claim binary_jumps(const ReportData& data) {
  Claim claim{"binary-jumps", "Binary positions jump.", Verdict::unmeasured, kNoValues};
  const auto lengths = steps(data.values("binary"));
  if (lengths.empty()) return claim;
  const auto [least, most] = std::ranges::minmax_element(lengths);
  const double ratio = *most / *least;
  claim.verdict = ratio >= kUnevenSteps ? Verdict::confirmed
                  : ratio > kEvenSteps  ? Verdict::limited
                                        : Verdict::refuted;
  claim.evidence = "From one position to the next the vector moves by " + figure_text(*least) +
                   " at the least and " + figure_text(*most) + " at the most, from position " +
                   std::to_string(most - lengths.begin()) + " to the next.";
  return claim;
}

Claim sinusoidal_smooth(const ReportData& data) {
  Claim claim{"sinusoidal-smooth", "Sinusoidal positions move smoothly.", Verdict::unmeasured, kNoValues};
  const auto lengths = steps(data.values("sinusoidal"));
  if (lengths.empty()) return claim;
  const auto [least, most] = std::ranges::minmax_element(lengths);
  const double ratio = *most / *least;
  claim.verdict = ratio <= kEvenSteps     ? Verdict::confirmed
                  : ratio <= kUnevenSteps ? Verdict::limited
                                          : Verdict::refuted;
  claim.evidence = "Every step has length " + figure_text(*least) + " to " + figure_text(*most) + ".";
  return claim;
}

Claim sinusoidal_speeds(const ReportData& data) {
  Claim claim{"sinusoidal-speeds", "Low indices turn fast, high ones slowly.", Verdict::unmeasured,
              kNoValues};
  const auto speeds = pair_speeds(data.values("sinusoidal"));
  if (speeds.size() < 2) return claim;
  const bool falling = std::ranges::is_sorted(speeds, std::ranges::greater_equal());
  claim.verdict = falling ? Verdict::confirmed : Verdict::refuted;
  claim.evidence = "The first pair of values moves by " + figure_text(speeds.front()) +
                   " a position, the last by " + figure_text(speeds.back()) +
                   (falling ? ", and each pair is slower than the one before."
                            : ", but not every pair is slower than the one before.");
  return claim;
}

Claim sinusoidal_distance(const ReportData& data) {
  Claim claim{"sinusoidal-distance",
              "A shift is a rotation: the dot product of two positions tells their distance alone.",
              Verdict::unmeasured, kNoValues};
  const std::vector<double> least = data.numbers("sinusoidal", "dot_by_distance_least");
  const std::vector<double> most = data.numbers("sinusoidal", "dot_by_distance_greatest");
  if (least.size() < 2 || most.size() != least.size()) return claim;
  double spread = 0.0;
  double greatest = 0.0;
  for (std::size_t distance = 0; distance < least.size(); ++distance) {
    spread = std::max(spread, most[distance] - least[distance]);
    greatest = std::max({greatest, std::abs(least[distance]), std::abs(most[distance])});
  }
  if (greatest > 0.0) spread /= greatest;
  const auto error = data.figure("sinusoidal", "shift_error");
  const auto score = data.figure("sinusoidal", "score_std");
  claim.evidence = "Between the encodings themselves dot products of equal distance differ by at most " +
                   figure_text(spread) + " of the greatest.";
  if (spread > kSameDot) {
    claim.verdict = Verdict::refuted;
    return claim;
  }
  claim.verdict = Verdict::confirmed;
  if (!error || !score || *score <= 0.0) return claim;
  const double relative = *error / *score;
  if (relative > kShiftRounding) claim.verdict = Verdict::limited;
  claim.evidence +=
      " But a score is made of word and position together, after two learned projections: shifting the whole "
      "text changes the scores by " +
      figure_text(relative) + " of their spread.";
  return claim;
}

Claim learned_ends(const ReportData& data) {
  Claim claim{"learned-ends", "A learned table ends at the trained length.", Verdict::unmeasured,
              "It takes the trained figures (mla compare --trained)."};
  if (data.trained("learned") == nullptr) return claim;
  const bool within = data.trained("learned", "perplexity", "1").has_value();
  const bool beyond =
      data.trained("learned", "perplexity", "2") || data.trained("learned", "perplexity", "4");
  claim.verdict = within && !beyond ? Verdict::confirmed : beyond ? Verdict::refuted : Verdict::unmeasured;
  claim.evidence =
      beyond ? "There are figures beyond the trained length."
             : "Perplexity " + estimate_text(data.trained("learned", "perplexity", "1")) +
                   " at the trained length, and none at two or four times that: there is no row to add.";
  return claim;
}

Claim all_pollute(const ReportData& data) {
  Claim claim{"additive-pollute", "Every encoding that adds pollutes the embedding.", Verdict::unmeasured,
              "The comparison has no encoding that adds."};
  const auto names = data.additive();
  if (names.empty()) return claim;
  std::string list;
  std::size_t polluted = 0;
  for (const auto& name : names) {
    const double cosine = data.figure(name, "pollution_cosine").value_or(1.0);
    polluted += cosine < kPolluted;
    list += (list.empty() ? "" : ", ") + name + " " + figure_text(cosine);
  }
  claim.verdict = polluted == names.size() ? Verdict::confirmed
                  : polluted > 0           ? Verdict::limited
                                           : Verdict::refuted;
  claim.evidence = "Cosine of the sum to the word: " + list + ". Polluted means below 0.99.";
  return claim;
}

}  // namespace

std::vector<Claim> judge_additive(const ReportData& data) {
  return {integer_swamps(data), integer_worst(data),     binary_harmless(data),   binary_bits(data),
          binary_jumps(data),   sinusoidal_smooth(data), sinusoidal_speeds(data), sinusoidal_distance(data),
          learned_ends(data),   all_pollute(data)};
}

}  // namespace mla::lab
