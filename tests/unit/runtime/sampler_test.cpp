#include "mla/sampler.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "mla/error.h"

using mla::Sampler;
using mla::SamplerOptions;

namespace {

// Probabilities 0.4, 0.3, 0.2, 0.1 of the ids 2, 0, 3, 1.
const std::vector<float> kLogits = {std::log(0.3F), std::log(0.1F), std::log(0.4F), std::log(0.2F)};

SamplerOptions plain() {
  SamplerOptions options;
  options.temperature = 1.0;
  options.seed = 1;
  return options;
}

/// Draws 100,000 times and compares with `expected`: nothing outside of it, and chi-square within its
/// distribution's 1 - 1e-6 quantile for up to three degrees of freedom.
void check_frequencies(const SamplerOptions& options, const std::map<mla::TokenId, double>& expected) {
  constexpr int kDraws = 100000;
  Sampler sampler(options);
  std::map<mla::TokenId, int> counts;
  for (int i = 0; i < kDraws; ++i) ++counts[sampler.sample(kLogits)];
  double chi_square = 0.0;
  for (const auto& [id, probability] : expected) {
    const double difference = counts[id] - probability * kDraws;
    chi_square += difference * difference / (probability * kDraws);
  }
  CHECK(counts.size() == expected.size());
  CHECK(chi_square < 30.7);
}

std::string refusal(const SamplerOptions& options) {
  try {
    check(options);
  } catch (const mla::Error& error) {
    CHECK(error.code() == mla::ErrorCode::argument);
    return error.field();
  }
  return "";
}

}  // namespace

TEST_CASE("the sampler draws from the softmax", "[sampler]") {
  check_frequencies(plain(), {{0, 0.3}, {1, 0.1}, {2, 0.4}, {3, 0.2}});
}

TEST_CASE("temperature sharpens and flattens", "[sampler]") {
  SamplerOptions options = plain();
  options.temperature = 0.5;  // Squares: 0.09, 0.01, 0.16, 0.04 of 0.3.
  check_frequencies(options, {{0, 0.3}, {1, 0.1 / 3}, {2, 1.6 / 3}, {3, 0.4 / 3}});
}

TEST_CASE("each filter keeps what its definition says", "[sampler]") {
  SamplerOptions options = plain();
  SECTION("top-k") {
    options.top_k = 2;
    check_frequencies(options, {{0, 3.0 / 7}, {2, 4.0 / 7}});
  }
  SECTION("top-k of all and more") {
    options.top_k = 9;
    check_frequencies(options, {{0, 0.3}, {1, 0.1}, {2, 0.4}, {3, 0.2}});
  }
  SECTION("top-p takes the token that reaches it") {
    options.top_p = 0.75;
    check_frequencies(options, {{0, 3.0 / 9}, {2, 4.0 / 9}, {3, 2.0 / 9}});
  }
  SECTION("top-p 0 keeps one") {
    options.top_p = 0.0;
    check_frequencies(options, {{2, 1.0}});
  }
  SECTION("min-p") {
    options.min_p = 0.45;  // 0.18 and more.
    check_frequencies(options, {{0, 3.0 / 9}, {2, 4.0 / 9}, {3, 2.0 / 9}});
  }
  SECTION("typical-p") {
    // Entropy 1.2799; distances of 0.3: 0.076, of 0.2: 0.330, of 0.4: 0.364, of 0.1: 1.023.
    options.typical_p = 0.45;
    check_frequencies(options, {{0, 0.6}, {3, 0.4}});
  }
  SECTION("top-k goes before top-p") {
    options.top_k = 2;  // 4/7 and 3/7 are left.
    options.top_p = 0.5;
    check_frequencies(options, {{2, 1.0}});
  }
}

TEST_CASE("temperature 0 takes the likeliest, the lowest id on a tie", "[sampler]") {
  SamplerOptions options = plain();
  options.temperature = 0.0;
  Sampler sampler(options);
  CHECK(sampler.sample(kLogits) == 2);
  CHECK(sampler.sample(std::vector<float>{1.0F, 3.0F, 3.0F, 3.0F}) == 1);
  CHECK(sampler.sample(std::vector<float>{0.0F, 0.0F}) == 0);
  CHECK(sampler.sample(std::vector<float>{-1e30F, -2e30F}) == 0);
}

TEST_CASE("ties at the edge of top-k and top-p go to the lowest ids", "[sampler]") {
  for (int seed = 0; seed < 50; ++seed) {
    SamplerOptions options = plain();
    options.seed = static_cast<std::uint64_t>(seed);
    options.top_k = 2;
    CHECK(Sampler(options).sample(std::vector<float>(8, 1.0F)) < 2);
    options.top_k = 0;
    options.top_p = 0.25;
    CHECK(Sampler(options).sample(std::vector<float>(8, 1.0F)) < 2);
  }
}

TEST_CASE("penalties", "[sampler]") {
  SamplerOptions options;
  options.temperature = 0.0;
  const std::vector<float> logits = {2.0F, 1.5F, -1.0F, -1.5F};
  SECTION("repetition divides positive logits") {
    options.repetition_penalty = 2.0;
    Sampler sampler(options);
    sampler.accept(0);
    CHECK(sampler.sample(logits) == 1);
  }
  SECTION("repetition multiplies negative logits") {
    options.repetition_penalty = 2.0;
    Sampler sampler(options);
    sampler.accept(0);
    CHECK(sampler.sample(std::vector<float>{-1.0F, -1.5F}) == 1);
  }
  SECTION("presence counts once") {
    options.presence_penalty = 0.4;
    Sampler sampler(options);
    sampler.accept(0);
    sampler.accept(0);
    CHECK(sampler.sample(logits) == 0);
  }
  SECTION("frequency counts every time") {
    options.frequency_penalty = 0.4;
    Sampler sampler(options);
    sampler.accept(0);
    CHECK(sampler.sample(logits) == 0);
    sampler.accept(0);
    CHECK(sampler.sample(logits) == 1);
  }
  SECTION("tokens beyond the logits are no harm") {
    options.frequency_penalty = 0.4;
    Sampler sampler(options);
    sampler.accept(100);
    CHECK(sampler.sample(logits) == 0);
  }
}

TEST_CASE("a seed gives the same tokens always, another seed others", "[sampler]") {
  const auto draws = [](std::uint64_t seed) {
    SamplerOptions options = plain();
    options.seed = seed;
    Sampler sampler(options);
    std::vector<mla::TokenId> ids;
    for (int i = 0; i < 64; ++i) ids.push_back(sampler.sample(std::vector<float>(1000, 0.0F)));
    return ids;
  };
  CHECK(draws(7) == draws(7));
  CHECK(draws(7) != draws(8));
  // The upper 53 bits of std::mt19937_64, which the standard pins, as a place among equal candidates.
  std::mt19937_64 random(7);
  for (const mla::TokenId id : draws(7))
    CHECK(id == static_cast<mla::TokenId>(static_cast<double>(random() >> 11U) * 0x1.0p-53 * 1000.0));
}

TEST_CASE("options out of range are refused by name", "[sampler]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(refusal({}).empty());
  for (const double value : {-0.1, nan, infinity}) {
    CHECK(refusal({.temperature = value}) == "temp");
    CHECK(refusal({.top_p = value}) == "top-p");
    CHECK(refusal({.min_p = value}) == "min-p");
    CHECK(refusal({.typical_p = value}) == "typical-p");
    CHECK(refusal({.repetition_penalty = value}) == "repetition-penalty");
  }
  for (const double value : {nan, infinity, -infinity}) {
    CHECK(refusal({.presence_penalty = value}) == "presence-penalty");
    CHECK(refusal({.frequency_penalty = value}) == "frequency-penalty");
  }
  CHECK(refusal({.repetition_penalty = 0.0}) == "repetition-penalty");
  CHECK(refusal({.top_k = -1}) == "top-k");
  CHECK(refusal({.top_p = 1.1}) == "top-p");
  CHECK_THROWS_AS(Sampler(SamplerOptions{.top_k = -1}), mla::Error);
}
