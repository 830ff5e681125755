#include "lab/statistics.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <string>

#include "mla/error.h"

namespace mla::lab {
namespace {

/// P(|T| < t) at t = sqrt(degrees) tan(theta) (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
double central_probability(double theta, std::size_t degrees) {
  const bool odd = degrees % 2 == 1;
  const double cosine = std::cos(theta);
  double term = odd ? cosine : 1.0;
  double sum = 0.0;
  for (std::size_t power = odd ? 1 : 0; power + 2 <= degrees; power += 2) {
    sum += term;
    term *= cosine * cosine * static_cast<double>(power + 1) / static_cast<double>(power + 2);
  }
  const double product = std::sin(theta) * sum;
  return odd ? 2.0 / std::numbers::pi * (theta + product) : product;
}

void expect_two(std::size_t count) {
  if (count < 2)
    throw Error(ErrorCode::argument, "", "seeds",
                "found " + std::to_string(count) + ", expected at least 2 for an interval");
}

/// One encoding over the seeds.
class Combination {
 public:
  Combination(std::vector<const Measures<double>*> seeds, double confidence)
      : seeds_(std::move(seeds)), first_(*seeds_.front()), confidence_(confidence) {}

  Measures<Interval> run() const {
    Measures<Interval> row;
    row.encoding = first_.encoding;
    row.perplexity = series("perplexity", [](const auto& seed) { return seed.perplexity; });
    for (const auto& [task, name] : kProbeTasks)
      row.of(task) = series(std::string(name), [task = task](const auto& seed) { return seed.of(task); });
    row.phase_shift = series("phase_shift", [](const auto& seed) { return seed.phase_shift; });
    for (std::size_t i = 0; i < first_.perplexity_at.size(); ++i) row.perplexity_at.push_back(bucket(i));
    return row;
  }

 private:
  template <typename Choose>
  BySetting<Interval> series(const std::string& name, Choose choose) const {
    BySetting<Interval> result;
    for (const auto& [setting, value] : choose(first_).points) {
      const auto at_setting = [&, key = setting](const auto& seed) { return choose(seed).at(key); };
      result.points.emplace_back(setting, interval(name + "." + std::to_string(setting), at_setting));
    }
    return result;
  }

  PositionBucket<Interval> bucket(std::size_t index) const {
    const PositionBucket<double>& own = first_.perplexity_at[index];
    const auto in_bucket = [&](const Measures<double>& seed) -> std::optional<double> {
      if (index >= seed.perplexity_at.size()) return std::nullopt;
      const PositionBucket<double>& other = seed.perplexity_at[index];
      return other.first == own.first && other.last == own.last ? other.perplexity : std::nullopt;
    };
    return {own.first, own.last, interval("perplexity_at[" + std::to_string(index) + "]", in_bucket)};
  }

  template <typename Value>
  std::optional<Interval> interval(const std::string& measure, Value value) const {
    std::vector<double> values;
    for (const Measures<double>* seed : seeds_)
      if (const std::optional<double> one = value(*seed)) values.push_back(*one);
    if (values.empty()) return std::nullopt;
    if (values.size() != seeds_.size()) {
      throw Error(ErrorCode::mismatch, "", first_.encoding + "." + measure,
                  "found a value in " + std::to_string(values.size()) + " of " +
                      std::to_string(seeds_.size()) + " seeds, expected one in all or in none");
    }
    return mean_interval(values, confidence_);
  }

  std::vector<const Measures<double>*> seeds_;
  const Measures<double>& first_;
  double confidence_;
};

const Measures<double>& measures_of(const SeedResult& seed, const std::string& encoding) {
  for (const Measures<double>& one : seed.trained)
    if (one.encoding == encoding) return one;
  throw Error(ErrorCode::mismatch, "", "seed " + std::to_string(seed.seed),
              "found no results of " + encoding + ", expected all encodings that the first seed has");
}

}  // namespace

double student_t(double confidence, std::size_t degrees_of_freedom) {
  double below = 0.0;
  double above = std::numbers::pi / 2.0;
  for (int halving = 0; halving < 64; ++halving) {
    const double middle = (below + above) / 2.0;
    (central_probability(middle, degrees_of_freedom) < confidence ? below : above) = middle;
  }
  return std::sqrt(static_cast<double>(degrees_of_freedom)) * std::tan(below);
}

Interval mean_interval(std::span<const double> values, double confidence) {
  expect_two(values.size());
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / (n - 1.0));
  return {mean, student_t(confidence, values.size() - 1) * deviation / std::sqrt(n)};
}

Statistics statistics_of(std::span<const SeedResult> seeds, double confidence) {
  expect_two(seeds.size());
  Statistics result{.seeds = seeds.size(), .confidence = confidence, .rows = {}};
  for (const Measures<double>& first : seeds.front().trained) {
    std::vector<const Measures<double>*> same;
    for (const SeedResult& seed : seeds) same.push_back(&measures_of(seed, first.encoding));
    result.rows.push_back(Combination(std::move(same), confidence).run());
  }
  return result;
}

}  // namespace mla::lab
