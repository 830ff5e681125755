// An indexer with random weights, and its scores in plain loops of double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "nn/indexer.h"
#include "unit/nn/nn_test_data.h"

namespace nn_test {

inline constexpr double kSafe =
    2e-5;  ///< Scores are of the order of one; a choice by less could be rounding's.

/// Turns the pairs (i, i + dim / 2) of the first `dim` values as at `position`, base 10000.
inline void rotate_halves(double* values, std::size_t dim, std::size_t position) {
  for (std::size_t i = 0; i < dim / 2; ++i) {
    const double angle = static_cast<double>(position) *
                         std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
    const double a = values[i];
    const double b = values[i + dim / 2];
    values[i] = a * std::cos(angle) - b * std::sin(angle);
    values[i + dim / 2] = a * std::sin(angle) + b * std::cos(angle);
  }
}

struct IndexerBlock {
  mla::IndexerShape shape;
  Weight wq_b, wk, weights_proj;
  std::vector<float> k_norm, k_norm_bias;

  IndexerBlock(Random& random, mla::DType dtype, const mla::IndexerShape& of, std::size_t rank,
               std::size_t hidden)
      : shape(of),
        wq_b(random_weight(random, dtype, of.num_heads * of.head_dim, rank)),
        wk(random_weight(random, dtype, of.head_dim, hidden)),
        weights_proj(random_weight(random, dtype, of.num_heads, hidden)),
        k_norm(random.values(of.head_dim)),
        k_norm_bias(random.values(of.head_dim)) {}

  mla::Indexer part() const {
    return mla::Indexer(shape, {.wq_b = mla::Linear(wq_b.view),
                                .wk = mla::Linear(wk.view),
                                .k_norm = mla::Norm::layer(k_norm, k_norm_bias, 1e-6F),
                                .weights_proj = mla::Linear(weights_proj.view)});
  }

  std::vector<double> key(const Rows& x, std::size_t row, bool rotates) const {
    std::vector<double> k = affine(wk, x.row(row));
    const auto n = static_cast<double>(k.size());
    const double mean = std::accumulate(k.begin(), k.end(), 0.0) / n;
    double variance = 0.0;
    for (const double value : k) variance += (value - mean) * (value - mean) / n;
    for (std::size_t i = 0; i < k.size(); ++i)
      k[i] = (k[i] - mean) / std::sqrt(variance + 1e-6) * static_cast<double>(k_norm[i]) +
             static_cast<double>(k_norm_bias[i]);
    if (rotates) rotate_halves(k.data(), shape.rotary_dim, row);
    return k;
  }

  /// [queries][keys], of all pairs.
  std::vector<std::vector<double>> scores(const Rows& x, const std::vector<std::vector<double>>& latents,
                                          bool rotates) const {
    std::vector<std::vector<double>> keys, result;
    for (std::size_t row = 0; row < x.rows(); ++row) keys.push_back(key(x, row, rotates));
    for (std::size_t row = 0; row < x.rows(); ++row) {
      std::vector<double> q = affine(wq_b, latents[row]);
      const std::vector<double> weights = affine(weights_proj, x.row(row));
      std::vector<double>& sums = result.emplace_back(x.rows(), 0.0);
      for (std::size_t head = 0; head < shape.num_heads; ++head) {
        double* q_head = q.data() + head * shape.head_dim;
        if (rotates) rotate_halves(q_head, shape.rotary_dim, row);
        for (std::size_t s = 0; s < x.rows(); ++s) {
          const double product = std::inner_product(keys[s].begin(), keys[s].end(), q_head, 0.0);
          sums[s] += weights[head] / std::sqrt(static_cast<double>(shape.num_heads)) *
                     std::max(product / std::sqrt(static_cast<double>(shape.head_dim)), 0.0);
        }
      }
    }
    return result;
  }
};

/// The places of the `top_k` greatest scores, rising, and how far the worst of them is from the best of the rest.
inline std::pair<std::vector<std::uint32_t>, double> greatest(std::span<const double> scores,
                                                              std::size_t top_k) {
  std::vector<std::uint32_t> places(scores.size());
  std::iota(places.begin(), places.end(), 0U);
  std::stable_sort(places.begin(), places.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  if (places.size() <= top_k) return {places, std::numeric_limits<double>::infinity()};
  const double margin = scores[places[top_k - 1]] - scores[places[top_k]];
  places.resize(top_k);
  std::sort(places.begin(), places.end());
  return {places, margin};
}

}  // namespace nn_test
