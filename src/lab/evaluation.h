// What the models of the trained family can do: perplexity by length, position and shift, and probes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <vector>

#include "lab/evaluation_set.h"
#include "lab/family.h"
#include "lab/trained_result.h"

namespace mla::lab {

struct EvaluationOptions {
  int threads = 0;  ///< 0: the physical cores this process may use. The results do not depend on it.
};

/// Called now and then, from one thread at a time.
using EvaluationProgress = std::function<void(std::size_t done, std::size_t total)>;

/// Measures one model.
/// - perplexity: the first 4 trained lengths of each document in windows of 1, 2 or 4 of them, each from position 0
///   and with nothing before it; all tokens but a window's first are scored.
/// - perplexity_at: the scored tokens at 4 trained lengths by their position, 32 at a time.
/// - phase_shift: windows of 64 tokens whose positions begin at 0, 16, ...
/// - copy: the mean over probes of the share of tokens that are the likeliest, given the right ones before them.
/// - word_order, coreference: how often the right choice is likelier than the other.
/// Nothing where positions would be beyond those the encoding has, or where there are no probes. Throws
/// Error(mismatch) if set and model do not fit together, and what a session throws.
TrainedResult evaluate_member(const FamilyMember& member, const EvaluationSet& set,
                              const EvaluationOptions& options, const EvaluationProgress& progress = {});

/// All members of the family in the order of their story, on the files in its folder `evaluation`.
std::vector<TrainedResult> evaluate_family(const std::filesystem::path& family,
                                           const EvaluationOptions& options,
                                           const EvaluationProgress& progress = {});

}  // namespace mla::lab
