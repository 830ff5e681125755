// Verdicts on what works inside the attention: ALiBi, RoPE, and RoPE within MLA.
#include "lab/claims.h"
#include "lab/report_numbers.h"

namespace mla::lab {
namespace {

using namespace threshold;

constexpr const char* kNoRow = "The comparison has no row of this encoding.";

bool leaves_embedding_alone(const ReportData& data, std::string_view name) {
  return data.figure(name, "norm_inflation") == 1.0 &&
         data.figure(name, "pollution_cosine").value_or(0.0) > 1.0 - 1e-9;
}

/// Whether scores keep when the whole text is shifted.
Claim distance_alone(const ReportData& data, std::string_view id, std::string_view text,
                     std::string_view name) {
  Claim claim{id, text, Verdict::unmeasured, kNoRow};
  const auto error = data.figure(name, "shift_error");
  const auto spread = data.figure(name, "score_std");
  if (!error || !spread || *spread <= 0.0) return claim;
  const double relative = *error / *spread;
  claim.verdict = relative <= kShiftRounding ? Verdict::confirmed
                  : relative <= kShiftSmall  ? Verdict::limited
                                             : Verdict::refuted;
  claim.evidence = "All positions moved on by " + whole_text(number_at(data.comparison(), "shift")) +
                   ": a score changes by " + figure_text(error) + " in the mean and by " +
                   figure_text(data.figure(name, "shift_error_max")) +
                   " at the most, where scores spread by " + figure_text(spread) +
                   ". The rounding of float32 explains up to 10⁻⁴ of the spread.";
  return claim;
}

Claim alibi_clean(const ReportData& data) {
  Claim claim{"alibi-clean", "ALiBi leaves the embedding, the queries and the keys as they are.",
              Verdict::unmeasured, kNoRow};
  if (data.row("alibi") == nullptr) return claim;
  claim.verdict = leaves_embedding_alone(data, "alibi") ? Verdict::confirmed : Verdict::refuted;
  claim.evidence = "Length × " + figure_text(data.figure("alibi", "norm_inflation")) + ", cosine " +
                   figure_text(data.figure("alibi", "pollution_cosine")) + "; its bias spreads by " +
                   figure_text(data.figure("alibi", "bias_std")) + " where scores spread by " +
                   figure_text(data.figure("alibi", "score_std")) + ".";
  return claim;
}

Claim norms_kept(const ReportData& data, std::string_view id, std::string_view name) {
  Claim claim{id, "A rotation keeps the length of every query and key.", Verdict::unmeasured, kNoRow};
  const auto error = data.figure(name, "norm_error");
  if (!error) return claim;
  claim.verdict = *error <= kNormKept         ? Verdict::confirmed
                  : *error <= kNormNearlyKept ? Verdict::limited
                                              : Verdict::refuted;
  claim.evidence = "The greatest relative change of a length is " + figure_text(error) +
                   ". Float32 itself rounds at 6×10⁻⁸ in each step; up to 2×10⁻⁶ counts as kept.";
  return claim;
}

Claim embedding_clean(const ReportData& data) {
  Claim claim{"rope-clean", "RoPE does not touch the embedding.", Verdict::unmeasured, kNoRow};
  const std::string_view name = data.row("rope") != nullptr ? "rope" : "rope-decoupled";
  if (data.row(name) == nullptr) return claim;
  claim.verdict = leaves_embedding_alone(data, name) ? Verdict::confirmed : Verdict::refuted;
  claim.evidence = "Length × " + figure_text(data.figure(name, "norm_inflation")) + ", cosine to the word " +
                   figure_text(data.figure(name, "pollution_cosine")) + ".";
  return claim;
}

Claim visible(const ReportData& data, std::string_view id, std::string_view name) {
  Claim claim{id, "With RoPE the two words get clearly different context vectors.", Verdict::unmeasured,
              kNoRow};
  const Json* row = data.row(name);
  const auto cosine = row == nullptr ? std::nullopt : number_at(*row, "cosine");
  if (!cosine) return claim;
  claim.verdict = flag_at(*row, "identical") ? Verdict::refuted
                  : *cosine > kBarelyDiffers ? Verdict::limited
                                             : Verdict::confirmed;
  claim.evidence = "Cosine " + figure_text(cosine) + ", distance " + figure_text(number_at(*row, "l2")) +
                   "; scores spread by " + figure_text(number_at(*row, "score_std")) +
                   ". A rotation can only turn what is in a score: where scores hardly spread, an encoding "
                   "hardly shows, however right it is.";
  return claim;
}

Claim not_absorbed(const ReportData& data) {
  Claim claim{"mla-absorb", "RoPE on the whole head cannot be absorbed into MLA's latent.",
              Verdict::unmeasured,
              "It takes a row of the encoding rope on an MLA model without a rotary part of its own."};
  const auto error = data.figure("rope", "absorption_error");
  if (!error) return claim;
  claim.verdict = *error >= kNotAbsorbed ? Verdict::confirmed
                  : *error >= kAbsorbed  ? Verdict::limited
                                         : Verdict::refuted;
  claim.evidence =
      "Scores with W_UK moved into the query, which leaves the keys unrotated, miss the true ones by " +
      figure_text(error) + " of their spread. At least a tenth counts as broken.";
  return claim;
}

}  // namespace

std::vector<Claim> judge_rotation(const ReportData& data) {
  const std::string_view rope = data.row("rope") != nullptr ? "rope" : "rope-decoupled";
  std::vector<Claim> claims = {
      alibi_clean(data),
      distance_alone(data, "alibi-distance", "Its scores know the distance of two words, not their places.",
                     "alibi"),
      embedding_clean(data),
      norms_kept(data, "rope-norms", rope),
      distance_alone(data, "rope-distance",
                     "The score of two rotated vectors depends on their distance alone.", rope),
      visible(data, "rope-visible", rope),
      not_absorbed(data),
      norms_kept(data, "mla-norms", "rope-decoupled"),
      distance_alone(data, "mla-distance", "The decoupled form keeps that: scores depend on distance alone.",
                     "rope-decoupled")};
  return claims;
}

}  // namespace mla::lab
