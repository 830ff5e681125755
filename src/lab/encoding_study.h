// A positional encoding looked at by itself: its values over a range of positions, and what can be measured of them
// without a model.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/grid.h"
#include "lab/proximity.h"
#include "positional/registry.h"

namespace mla::lab {

/// Most values of a study, positions times dims.
inline constexpr std::size_t kMostStudyValues = std::size_t{1} << 22;
/// Proximity is computed for the first positions of a study only, as many as this.
inline constexpr std::size_t kMostProximityPositions = 1024;

struct StudyRequest {
  std::size_t first = 0;  ///< Position, for alibi distance.
  std::size_t last = 63;
  std::size_t dims = 32;  ///< Values of a position; for alibi heads; for rope even, two a pair.
  std::size_t trained_context = 128;
  EncodingSettings settings;  ///< RoPE's scaling and the learned table; the sizes in it are set to `dims`.
};

/// What a value does from each position to the next.
struct IndexStudy {
  /// After how many positions the values repeat, by the formula; nothing where they never do or there is none.
  std::optional<double> period;

  /// How many positions lie between two crossings of the middle (0 if the values have both signs, else half way
  /// between least and greatest), on average; measured, with the crossing's place between two positions
  /// interpolated. Nothing for fewer than two crossings. For bit k it is 2^k, for a wave half its length.
  std::optional<double> changes_every;

  double largest_step = 0.0;  ///< Between neighbouring positions.
};

/// What a rescaling for longer contexts does with a pair: measured, by comparing its frequency with theta's.
enum class FrequencyBand {
  kept,          ///< As it was.
  blended,       ///< Between kept and interpolated (yarn, llama3).
  interpolated,  ///< Divided by the factor.
  rescaled,      ///< By a number of its own (dynamic, longrope).
};

struct RotaryPair {
  double frequency = 0.0;            ///< Radians a position, as the model uses it.
  double wavelength = 0.0;           ///< Positions of a whole turn: 2 pi / frequency.
  double original_wavelength = 0.0;  ///< Without rescaling: 2 pi theta^(2i/d).
  FrequencyBand band = FrequencyBand::kept;
  double trained_turns = 0.0;  ///< Whole and parts of a turn over the trained context, before rescaling.
};

struct Range {
  double least = 0.0;
  double greatest = 0.0;
};

struct EncodingStudy {
  std::string name;
  std::string formula;
  std::string source;
  std::string describe;
  EncodingStage stage = EncodingStage::nowhere;
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t trained_context = 0;

  Grid values;  ///< [positions, dims], as PositionalEncoding::values gives them.
  double max_abs = 0.0;
  std::vector<double> norms;  ///< Of each position's vector.
  std::vector<double> steps;  ///< Norm of the difference from each position to the next.
  std::vector<IndexStudy> indices;
  std::vector<RotaryPair> pairs;  ///< Rotary encodings only.

  /// phi(m, n): the dot product of two positions' vectors; for rotary encodings the score of a unit query and key
  /// that are the same in every pair, sum_i cos((m - n) theta_i) / pairs (times the attention factor squared); for
  /// alibi its bias at |m - n|, mean over heads.
  std::size_t proximity_positions = 0;
  std::vector<DistanceSummary> proximity;  ///< One a distance.
  ProximityProperties properties;

  std::size_t positions() const { return values.rows; }
  std::size_t dims() const { return values.cols; }
  Range norm_range() const;
  Range step_range() const;
};

/// Throws Error(argument) if the request is impossible, Error(limit) beyond a learned table, and what making the
/// encoding throws.
EncodingStudy study_encoding(const EncodingEntry& entry, const StudyRequest& request);

std::string_view name_of(FrequencyBand band);
std::string_view stage_name(EncodingStage stage);  ///< "nowhere", "embedding", "rotation", "scores"

/// The pairs of a rotary encoding for a sequence of `length` tokens.
std::vector<RotaryPair> rotary_pairs(const RopeScaling& scaling, std::size_t dims, std::size_t length,
                                     std::size_t trained_context);

}  // namespace mla::lab
