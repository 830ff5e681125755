// What is measured of a trained model, at which settings, and how good it was.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mla::lab {

inline constexpr std::array<std::size_t, 3> kLengths = {1, 2, 4};  ///< In trained lengths.
inline constexpr std::array<std::size_t, 6> kShifts = {0, 16, 32, 64, 128, 256};

enum class ProbeTask { copy, word_order, coreference };

inline constexpr std::array<std::pair<ProbeTask, std::string_view>, 3> kProbeTasks = {
    {{ProbeTask::copy, "copy"},
     {ProbeTask::word_order, "word_order"},
     {ProbeTask::coreference, "coreference"}}};

/// A measure at several settings, nothing where the encoding is not defined or nothing was measured.
template <typename Value>
struct BySetting {
  std::vector<std::pair<std::size_t, std::optional<Value>>> points;

  std::optional<Value> at(std::size_t setting) const {
    for (const auto& [key, value] : points)
      if (key == setting) return value;
    return std::nullopt;
  }
};

/// Perplexity of the tokens at positions `first` to `last`.
template <typename Value>
struct PositionBucket {
  std::size_t first = 0;
  std::size_t last = 0;
  std::optional<Value> perplexity;
};

/// All measures of one encoding. A Value is a number, or a mean with its interval.
template <typename Value>
struct Measures {
  std::string encoding;
  BySetting<Value> perplexity;                                ///< By kLengths.
  std::array<BySetting<Value>, kProbeTasks.size()> accuracy;  ///< By task, then kLengths.
  BySetting<Value> phase_shift;                               ///< Perplexity by kShifts.
  std::vector<PositionBucket<Value>> perplexity_at;           ///< At the greatest length.

  BySetting<Value>& of(ProbeTask task) { return accuracy[static_cast<std::size_t>(task)]; }
  const BySetting<Value>& of(ProbeTask task) const { return accuracy[static_cast<std::size_t>(task)]; }
};

/// How sure an accuracy is.
struct ProbeCount {
  ProbeTask task = ProbeTask::copy;
  std::size_t length = 1;
  std::size_t probes = 0;
  double standard_error = 0.0;  ///< sqrt(variance of the probes' scores / probes); 0 for a single probe.
};

struct TrainedResult : Measures<double> {
  std::vector<ProbeCount> counts;  ///< Of the accuracies there are.
};

}  // namespace mla::lab
