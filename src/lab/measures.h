// What an observed pass says in numbers. Everything is computed in double from the float32 values of the pass.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "lab/observation.h"

namespace mla::lab {

double dot(std::span<const float> a, std::span<const float> b);
double norm(std::span<const float> x);
/// 0 if one of them is zero.
double cosine(std::span<const float> a, std::span<const float> b);
double l2_distance(std::span<const float> a, std::span<const float> b);

/// How two tokens' vectors compare.
struct PairDifference {
  bool identical = false;      ///< To the last bit.
  bool identical_1e6 = false;  ///< No two values differ by more than 1e-6.
  double cosine = 0.0;
  double l2 = 0.0;
};
PairDifference compare_vectors(std::span<const float> a, std::span<const float> b);

/// The context vectors of tokens i and j in one head.
PairDifference compare_contexts(const HeadObservation& head, std::size_t i, std::size_t j);

/// Of all heads of all layers: identical if all are; cosine and l2 are means.
PairDifference compare_contexts(const Observation& observation, std::size_t i, std::size_t j);

/// What adding p did to the embeddings x, as means over the tokens.
struct Pollution {
  double norm_inflation = 1.0;  ///< |x + p| / |x|
  double cosine = 1.0;          ///< cos(x + p, x); RMSNorm, which only changes lengths, leaves it as it is.
  double centered_cosine =
      1.0;  ///< The same behind LayerNorm, which takes the mean off: a p that is the same in
            ///< every value is gone.
};
Pollution pollution(const Observation& plain, const Observation& encoded);

/// How far a rotation is from keeping lengths: the largest | |R q| / |q| - 1 | over the queries and keys of
/// layer 0, `encoded` against the same weights without encoding. Takes the rotary part alone where there is one.
double norm_error(const Observation& plain, const Observation& encoded);

/// |s(m, n) - s(m + k, n + k)| over all visible scores of all heads and layers. The two passes differ by
/// their first position only.
struct ShiftError {
  double mean = 0.0;
  double largest = 0.0;
};
ShiftError shift_error(const Observation& at_zero, const Observation& shifted);

/// The parts that add up to a score.
enum class ScorePart { all, content, rotary, bias };

/// Population standard deviation of what a query's visible scores say, mean over the queries that see at least
/// two keys. An encoding whose scores hardly spread cannot be seen in the attention.
double score_spread(const Observation& observation, const HeadObservation& head, ScorePart part);

/// sum_n p(m, n) |m - n|, mean over the queries m (Vig and Belinkov 2019, "Analyzing the Structure of Attention in a
/// Transformer Language Model", section 4.2).
double attention_distance(const HeadObservation& head);

/// -sum_n p(m, n) ln p(m, n) in nats, mean over the queries m (the same, section 4.3).
double attention_entropy(const HeadObservation& head);

/// Which pairs of the rotary part the head uses: for each the mean norm of the queries' pair times the mean norm
/// of the keys' (after Barbero et al. 2024, "Round and Round We Go! What Makes Rotary Positional Encodings
/// Useful?"). Without a rotary part of its own the whole head is taken, or the `rotary_dim` first values of it that are
/// rotated.
std::vector<double> frequency_use(const HeadObservation& head, RopePairing pairing, std::size_t rotary_dim);

/// Layer 0: mean of |s - s'| over visible scores, in units of the spread of s, where s' takes rotated queries
/// but unrotated keys:
/// what is left of RoPE on whole heads when W_UK is absorbed into the query, because R_n then has no place.
double absorption_error(const Observation& plain, const Observation& encoded);

}  // namespace mla::lab
