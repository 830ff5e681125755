// What is commonly said about positional encodings, held against the measured figures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/report_data.h"

namespace mla::lab {

enum class Verdict {
  confirmed,
  limited,     ///< Holds, but only within a limit that the evidence names.
  refuted,     ///< The figures say otherwise.
  unmeasured,  ///< The comparison lacks what it would take.
};

struct Claim {
  std::string_view id;     ///< The page places it by this name.
  std::string_view claim;  ///< As it is commonly put, in our words.
  Verdict verdict = Verdict::unmeasured;
  std::string evidence;  ///< Plain text with the figures it rests on.
};

/// The verdicts' thresholds. Each stands in the report beside the verdict it decides.
namespace threshold {
inline constexpr double kSwampInflation = 2.0;   ///< |x+p| / |x|: position is most of the vector.
inline constexpr double kSwampCosine = 0.7;      ///< cos(x+p, x): about 45 degrees from the word.
inline constexpr double kPolluted = 0.99;        ///< cos(x+p, x): about 8 degrees.
inline constexpr double kHarmless = 0.95;        ///< cos(x+p, x): about 18 degrees.
inline constexpr double kBarelyDiffers = 0.999;  ///< Cosine of two context vectors.
inline constexpr double kUnevenSteps = 1.5;      ///< Longest over shortest step between neighbours.
inline constexpr double kEvenSteps = 1.01;
inline constexpr double kSameDot = 1e-4;   ///< Of the dot product at distance 0: rounding of float32.
inline constexpr double kNormKept = 2e-6;  ///< Relative change of a norm: rounding of float32.
inline constexpr double kNormNearlyKept = 1e-4;
inline constexpr double kShiftRounding = 1e-4;  ///< Shift error over the spread of the scores.
inline constexpr double kShiftSmall = 0.02;
inline constexpr double kAbsorbed = 0.01;  ///< Absorption error, which is in units of the spread.
inline constexpr double kNotAbsorbed = 0.1;
inline constexpr double kLearned = 0.75;      ///< Accuracy where guessing has 0.5.
inline constexpr double kAsGood = 1.05;       ///< Ratio of perplexities.
inline constexpr double kExtrapolates = 1.1;  ///< Perplexity beyond the trained length over that within.
inline constexpr double kBreaksDown = 2.0;
}  // namespace threshold

/// In the order of the story: none, integer, binary, sinusoidal, learned, all that add, alibi, rope, MLA, trained.
std::vector<Claim> judge(const ReportData& data);

/// "Confirmed", "Holds with a limit", "Not confirmed", "Not measured here".
std::string_view verdict_text(Verdict verdict);

/// The parts of judge().
std::vector<Claim> judge_unencoded(const ReportData& data);
std::vector<Claim> judge_additive(const ReportData& data);
std::vector<Claim> judge_rotation(const ReportData& data);
std::vector<Claim> judge_trained(const ReportData& data);

}  // namespace mla::lab
