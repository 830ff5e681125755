#include "runtime/divergence.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mla/error.h"
#include "mla/perplexity.h"
#include "mla/session.h"
#include "unit/base/thrown.h"

using mla::TokenId;

namespace {

constexpr const char* kCheckpoints = MLA_TEST_DATA_DIR "/golden/checkpoints/";

std::shared_ptr<const mla::Model> golden(const std::string& name) {
  return mla::Model::load(kCheckpoints + name, {.precision = mla::Precision::f32});
}

/// Logits of given probabilities, shifted: what they are shifted by does not matter.
std::vector<float> logits_of(std::vector<double> probabilities, double shift) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + shift));
  return logits;
}

std::vector<TokenId> some_ids(std::size_t count) {
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<TokenId>((i * 29 + i * i) % 97));
  return ids;
}

}  // namespace

TEST_CASE("KL divergence of hand-made logits", "[perplexity]") {
  const std::vector<float> p = logits_of({0.5, 0.25, 0.25}, 3.0);
  const std::vector<float> q = logits_of({0.25, 0.25, 0.5}, -40.0);
  const double expected = 0.5 * std::log(2.0) - 0.25 * std::log(2.0);
  CHECK(mla::kl_divergence(p, q) == Approx(expected).epsilon(1e-5));  // Logits near 40 are floats.
  CHECK(mla::kl_divergence(p, p) == 0.0);
  const std::vector<float> certain{900.0F, -900.0F, -900.0F};
  CHECK(mla::kl_divergence(certain, certain) == 0.0);
  CHECK(mla::kl_divergence(certain, q) == Approx(std::log(4.0)).epsilon(1e-6));
  CHECK(mla::kl_divergence(q, certain) == Approx(0.75 * 1800 - 1.5 * std::log(2.0)).epsilon(1e-6));
}

TEST_CASE("KL divergence keeps its digits where models hardly differ", "[perplexity]") {
  // Second order: half the variance of the difference under p. 1000 equal logits, every other one 2^-13 higher.
  const std::vector<float> p(1000, 7.0F);
  std::vector<float> q = p;
  for (std::size_t i = 0; i < q.size(); i += 2) q[i] += 0x1p-13F;
  CHECK(mla::kl_divergence(p, q) == Approx(0x1p-26 / 8).epsilon(1e-4));
}

TEST_CASE("what is said of many tokens, by hand", "[perplexity]") {
  const std::vector<float> p = logits_of({0.5, 0.25, 0.25}, 0.0);
  const std::vector<float> near = logits_of({0.4, 0.35, 0.25}, 0.0);
  const std::vector<float> far = logits_of({0.1, 0.8, 0.1}, 0.0);
  mla::Divergence divergence;
  constexpr std::size_t kTokens = 200;
  for (std::size_t i = 0; i < kTokens; ++i) divergence.add(p, i < 2 ? far : i < 10 ? near : p, 0);
  const mla::DivergenceResult result = divergence.result();

  const double near_kl = 0.5 * std::log(0.5 / 0.4) + 0.25 * std::log(0.25 / 0.35);
  const double far_kl = 0.5 * std::log(5.0) + 0.25 * std::log(0.25 / 0.8) + 0.25 * std::log(2.5);
  const double mean = (2 * far_kl + 8 * near_kl) / kTokens;
  const double variance = (2 * far_kl * far_kl + 8 * near_kl * near_kl) / kTokens - mean * mean;
  CHECK(result.mean_kl == Approx(mean).epsilon(1e-5));
  CHECK(result.kl_standard_error == Approx(std::sqrt(variance / (kTokens - 1))).epsilon(1e-5));
  CHECK(result.greatest_kl == Approx(far_kl).epsilon(1e-5));
  CHECK(result.kl_99 == Approx(near_kl).epsilon(1e-5));  // Two of 200 may exceed it.
  CHECK(result.same_top == Approx(1.0 - 2.0 / kTokens));
  const double surprise = (2 * std::log(10.0) + 8 * std::log(2.5) + 190 * std::log(2.0)) / kTokens;
  CHECK(result.model.perplexity == Approx(std::exp(surprise)).epsilon(1e-5));
  CHECK(result.model.scored_tokens == kTokens);
  CHECK(result.reference.perplexity == Approx(2.0).epsilon(1e-6));
  CHECK(result.reference.standard_error == Approx(0.0).margin(1e-6));
  CHECK(result.perplexity_ratio == Approx(std::exp(surprise) / 2.0).epsilon(1e-5));
}

TEST_CASE("a model does not differ from itself", "[perplexity]") {
  const auto model = golden("v2_defaults");
  mla::Session session(model, {.threads = 1}), reference(model, {.threads = 2, .batch = 5});
  mla::Session equal(model, {.threads = 2});
  const std::vector<TokenId> ids = some_ids(50);
  std::size_t calls = 0;
  const mla::DivergenceResult same =
      mla::compare_logits(session, equal, ids, 16, 1, [&](std::size_t done, std::size_t total) {
        CHECK(done == ++calls);
        CHECK(total == 3);
      });
  CHECK(calls == 3);
  CHECK(same.model.scored_tokens == 24);
  CHECK(same.mean_kl == 0.0);
  CHECK(same.greatest_kl == 0.0);
  CHECK(same.same_top == 1.0);
  CHECK(same.perplexity_ratio == 1.0);

  const mla::PerplexityResult own = mla::perplexity(session, ids, 16, 1);
  CHECK(same.model.perplexity == own.perplexity);
  CHECK(same.model.standard_error == own.standard_error);
  CHECK(same.reference.perplexity == own.perplexity);
  // Other batches differ by rounding: the rows are still the same tokens'.
  CHECK(mla::compare_logits(session, reference, ids, 16, 1).greatest_kl < 1e-9);
}

TEST_CASE("two models differ by what their logits say", "[perplexity]") {
  const auto model = golden("v2_defaults");
  const auto other = golden("v2_group_limited");
  REQUIRE(model->info().vocab_size == other->info().vocab_size);
  const std::vector<TokenId> ids = some_ids(12);
  mla::Session session(model, {.threads = 1}), reference(other, {.threads = 1});
  const mla::DivergenceResult result = mla::compare_logits(session, reference, ids, 512, -1);

  const std::size_t vocab_size = model->info().vocab_size;
  mla::Session one(model, {.threads = 1}), two(other, {.threads = 1});
  double sum = 0.0;
  double greatest = 0.0;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {  // Token by token.
    const std::span<const float> q = one.evaluate({&ids[i], 1});
    const std::span<const float> p = two.evaluate({&ids[i], 1});
    double p_sum = 0.0, q_sum = 0.0, kl = 0.0;
    for (std::size_t k = 0; k < vocab_size; ++k) {
      p_sum += std::exp(static_cast<double>(p[k]));
      q_sum += std::exp(static_cast<double>(q[k]));
    }
    for (std::size_t k = 0; k < vocab_size; ++k)
      kl += std::exp(static_cast<double>(p[k])) / p_sum * (p[k] - std::log(p_sum) - q[k] + std::log(q_sum));
    sum += kl;
    greatest = std::max(greatest, kl);
  }
  CHECK(result.model.scored_tokens == ids.size() - 1);
  CHECK(result.mean_kl == Approx(sum / static_cast<double>(ids.size() - 1)).epsilon(1e-3));
  CHECK(result.greatest_kl == Approx(greatest).epsilon(1e-3));
  CHECK(result.mean_kl > 1e-3);
}

TEST_CASE("models of different vocabularies cannot be compared", "[perplexity]") {
  mla::Session session(golden("v2_defaults"), {.threads = 1}), other(golden("v3_groups"), {.threads = 1});
  const mla::Error error = thrown_by([&] { mla::compare_logits(session, other, some_ids(12), 512, -1); });
  CHECK(error.code() == mla::ErrorCode::mismatch);
  CHECK_THAT(error.what(), Catch::Contains("v2_defaults") && Catch::Contains("found 97"));
  CHECK_THAT(error.what(), Catch::Contains("expected 103") && Catch::Contains("v3_groups"));
}
