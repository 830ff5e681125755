#include "lab/measures.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace mla::lab {
namespace {

double part_of(const HeadObservation& head, ScorePart part, std::size_t query, std::size_t key) {
  switch (part) {
    case ScorePart::content:
      return head.content_scores.at(query, key);
    case ScorePart::rotary:
      return head.rotary_scores.at(query, key);
    case ScorePart::bias:
      return head.bias.at(query, key);
    case ScorePart::all:
      break;
  }
  return head.score(query, key);
}

/// The rotated values of a head's queries and keys: [content | rotary] of q, one of the two of k.
struct RotaryPart {
  const Grid& keys;
  std::size_t begin;  ///< In a query.
  std::size_t size;

  explicit RotaryPart(const HeadObservation& head)
      : keys(head.k_rotary.cols > 0 ? head.k_rotary : head.k_content),
        begin(head.k_rotary.cols > 0 ? head.k_content.cols : 0),
        size(keys.cols) {}

  std::span<const float> query(const HeadObservation& head, std::size_t token) const {
    return head.q.row(token).subspan(begin, size);
  }
  std::span<const float> key(std::size_t token) const { return keys.row(token); }
};

/// The cosine of two vectors without their means.
double correlation(std::span<const float> a, std::span<const float> b) {
  const double n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double product = 0.0;
  double square_a = 0.0;
  double square_b = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]) - mean_a;
    const double y = static_cast<double>(b[i]) - mean_b;
    product += x * y;
    square_a += x * x;
    square_b += y * y;
  }
  const double lengths = std::sqrt(square_a * square_b);
  return lengths == 0.0 ? 0.0 : product / lengths;
}

double ratio_error(std::span<const float> rotated, std::span<const float> plain) {
  const double length = norm(plain);
  return length == 0.0 ? 0.0 : std::abs(norm(rotated) / length - 1.0);
}

}  // namespace

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

double norm(std::span<const float> x) {
  return std::sqrt(dot(x, x));
}

double cosine(std::span<const float> a, std::span<const float> b) {
  const double lengths = norm(a) * norm(b);
  return lengths == 0.0 ? 0.0 : dot(a, b) / lengths;
}

double l2_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

PairDifference compare_vectors(std::span<const float> a, std::span<const float> b) {
  constexpr double kClose = 1e-6;
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  const bool identical = std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
  // The quotient of equal numbers need not be 1 after two square roots.
  return {.identical = identical,
          .identical_1e6 = largest <= kClose,
          .cosine = identical && norm(a) > 0.0 ? 1.0 : cosine(a, b),
          .l2 = l2_distance(a, b)};
}

PairDifference compare_contexts(const HeadObservation& head, std::size_t i, std::size_t j) {
  return compare_vectors(head.context.row(i), head.context.row(j));
}

PairDifference compare_contexts(const Observation& observation, std::size_t i, std::size_t j) {
  PairDifference all{.identical = true, .identical_1e6 = true, .cosine = 0.0, .l2 = 0.0};
  double heads = 0.0;
  for (const LayerObservation& layer : observation.layers)
    for (const HeadObservation& head : layer.heads) {
      const PairDifference one = compare_contexts(head, i, j);
      all.identical = all.identical && one.identical;
      all.identical_1e6 = all.identical_1e6 && one.identical_1e6;
      all.cosine += one.cosine;
      all.l2 += one.l2;
      heads += 1.0;
    }
  all.cosine /= heads;
  all.l2 /= heads;
  return all;
}

Pollution pollution(const Observation& plain, const Observation& encoded) {
  const Grid& x = plain.layers.front().input;
  const Grid& sum = encoded.layers.front().input;
  Pollution result{.norm_inflation = 0.0, .cosine = 0.0, .centered_cosine = 0.0};
  for (std::size_t token = 0; token < x.rows; ++token) {
    result.norm_inflation += norm(sum.row(token)) / norm(x.row(token));
    result.cosine += cosine(sum.row(token), x.row(token));
    result.centered_cosine += correlation(sum.row(token), x.row(token));
  }
  result.norm_inflation /= static_cast<double>(x.rows);
  result.cosine /= static_cast<double>(x.rows);
  result.centered_cosine /= static_cast<double>(x.rows);
  return result;
}

double norm_error(const Observation& plain, const Observation& encoded) {
  double largest = 0.0;
  const std::vector<HeadObservation>& before = plain.layers.front().heads;
  const std::vector<HeadObservation>& after = encoded.layers.front().heads;
  for (std::size_t head = 0; head < before.size(); ++head) {
    const RotaryPart unrotated(before[head]);
    const RotaryPart rotated(after[head]);
    for (std::size_t token = 0; token < plain.tokens; ++token) {
      largest = std::max(
          largest, ratio_error(rotated.query(after[head], token), unrotated.query(before[head], token)));
      largest = std::max(largest, ratio_error(rotated.key(token), unrotated.key(token)));
    }
  }
  return largest;
}

ShiftError shift_error(const Observation& at_zero, const Observation& shifted) {
  ShiftError error;
  double count = 0.0;
  for (std::size_t layer = 0; layer < at_zero.layers.size(); ++layer)
    for (std::size_t head = 0; head < at_zero.layers[layer].heads.size(); ++head) {
      const HeadObservation& a = at_zero.layers[layer].heads[head];
      const HeadObservation& b = shifted.layers[layer].heads[head];
      for (std::size_t query = 0; query < at_zero.tokens; ++query)
        for (std::size_t key = at_zero.visible(a, query).begin; key < at_zero.visible(a, query).end; ++key) {
          const double difference =
              std::abs(static_cast<double>(a.score(query, key)) - static_cast<double>(b.score(query, key)));
          error.mean += difference;
          error.largest = std::max(error.largest, difference);
          count += 1.0;
        }
    }
  error.mean /= count;
  return error;
}

double score_spread(const Observation& observation, const HeadObservation& head, ScorePart part) {
  double sum = 0.0;
  double queries = 0.0;
  for (std::size_t query = 0; query < observation.tokens; ++query) {
    const VisibleKeys keys = observation.visible(head, query);
    if (keys.count() < 2) continue;
    double mean = 0.0;
    for (std::size_t key = keys.begin; key < keys.end; ++key) mean += part_of(head, part, query, key);
    mean /= static_cast<double>(keys.count());
    double variance = 0.0;
    for (std::size_t key = keys.begin; key < keys.end; ++key) {
      const double deviation = part_of(head, part, query, key) - mean;
      variance += deviation * deviation;
    }
    sum += std::sqrt(variance / static_cast<double>(keys.count()));
    queries += 1.0;
  }
  return queries == 0.0 ? 0.0 : sum / queries;
}

double attention_distance(const HeadObservation& head) {
  const Grid& p = head.probabilities;
  double sum = 0.0;
  for (std::size_t query = 0; query < p.rows; ++query)
    for (std::size_t key = 0; key < p.cols; ++key)
      sum += static_cast<double>(p.at(query, key)) *
             std::abs(static_cast<double>(query) - static_cast<double>(key));
  return sum / static_cast<double>(p.rows);
}

double attention_entropy(const HeadObservation& head) {
  double sum = 0.0;
  for (const float probability : head.probabilities.values) {
    const double p = static_cast<double>(probability);
    if (p > 0.0) sum -= p * std::log(p);
  }
  return sum / static_cast<double>(head.probabilities.rows);
}

std::vector<double> frequency_use(const HeadObservation& head, RopePairing pairing, std::size_t rotary_dim) {
  const RotaryPart part(head);
  const std::size_t pairs = rotary_dim / 2;
  const std::size_t step = pairing == RopePairing::interleaved ? 2 : 1;
  const std::size_t partner = pairing == RopePairing::interleaved ? 1 : pairs;
  const auto length = [&](std::span<const float> x, std::size_t pair) {
    return std::hypot(static_cast<double>(x[pair * step]), static_cast<double>(x[pair * step + partner]));
  };
  std::vector<double> use(pairs);
  const double tokens = static_cast<double>(head.q.rows);
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    double queries = 0.0;
    double keys = 0.0;
    for (std::size_t token = 0; token < head.q.rows; ++token) {
      queries += length(part.query(head, token), pair);
      keys += length(part.key(token), pair);
    }
    use[pair] = queries / tokens * keys / tokens;
  }
  return use;
}

double absorption_error(const Observation& plain, const Observation& encoded) {
  double difference = 0.0;
  double spread = 0.0;
  double count = 0.0;
  const std::vector<HeadObservation>& unrotated = plain.layers.front().heads;
  const std::vector<HeadObservation>& rotated = encoded.layers.front().heads;
  for (std::size_t index = 0; index < rotated.size(); ++index) {
    const HeadObservation& head = rotated[index];
    spread += score_spread(encoded, head, ScorePart::all) / static_cast<double>(rotated.size());
    for (std::size_t query = 0; query < encoded.tokens; ++query)
      for (std::size_t key = encoded.visible(head, query).begin; key < encoded.visible(head, query).end;
           ++key) {
        // Layer 0: the same keys with and without rotation; the scale is that of the recorded score.
        const double score = dot(head.q.row(query), head.k_content.row(key));
        const double absorbed = dot(head.q.row(query), unrotated[index].k_content.row(key));
        difference += std::abs(absorbed - score) * head.scale;
        count += 1.0;
      }
  }
  return spread == 0.0 ? 0.0 : difference / count / spread;
}

}  // namespace mla::lab
