// From logits to the next token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "mla/export.h"
#include "mla/tokenizer.h"

namespace mla {

/// The steps are taken in the order of the fields; a value that changes nothing switches its step off. The
/// order and the meanings are those of transformers' generation/logits_process.py, presence and frequency as
/// in OpenAI's API.
struct SamplerOptions {
  double repetition_penalty =
      1.0;  ///< > 0: logits of seen tokens are divided by it if positive, else multiplied.
  double presence_penalty = 0.0;   ///< Subtracted once from the logit of each token seen.
  double frequency_penalty = 0.0;  ///< Subtracted for each time a token was seen.
  double temperature = 0.8;        ///< >= 0; 0 takes the most likely token (the lowest id on a tie).
  std::int64_t top_k = 0;          ///< Keep the k most likely; 0: all.
  double top_p = 1.0;  ///< Keep the most likely ones that together reach p (Holtzman et al. 2020).
  double min_p = 0.0;  ///< Keep those with at least min_p of the largest probability (Nguyen et al. 2024).
  double typical_p = 1.0;  ///< Keep those nearest the entropy that together reach p (Meister et al. 2023).
  std::uint64_t seed = 0;
};

/// Throws Error(argument) that names the option, what was found and what was expected.
MLA_API void check(const SamplerOptions& options);

/// The same seed and the same logits give the same tokens on every machine.
class MLA_API Sampler {
 public:
  explicit Sampler(const SamplerOptions& options);

  /// A token that was seen (of the prompt or chosen), for the penalties.
  void accept(TokenId id);

  /// The next token for logits [vocab_size], which are finite. Does not accept it.
  TokenId sample(std::span<const float> logits);

 private:
  struct Candidate {
    TokenId id;
    double value;  ///< A logit at first, a probability in the end.
  };

  void penalize(std::vector<Candidate>& candidates) const;
  TokenId draw(const std::vector<Candidate>& candidates);

  SamplerOptions options_;
  std::mt19937_64 random_;
  std::vector<std::uint32_t> seen_;  ///< How often, by id.
};

}  // namespace mla
