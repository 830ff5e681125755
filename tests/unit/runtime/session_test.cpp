#include "mla/session.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "mla/error.h"
#include "mla/generator.h"
#include "mla/perplexity.h"

namespace {

const std::vector<mla::TokenId> kIds = {3,  14, 15, 9, 26, 5,  35, 8,  9,  79,
                                        32, 38, 46, 2, 6,  43, 38, 32, 79, 50};

std::shared_ptr<const mla::Model> golden(const std::string& name) {
  return mla::Model::load(std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + name);
}

std::vector<float> copy(std::span<const float> values) {
  return {values.begin(), values.end()};
}

std::vector<float> all_logits(mla::Session& session, std::span<const mla::TokenId> ids) {
  std::vector<float> all;
  std::size_t rows = 0;
  session.evaluate_all(ids, [&](std::size_t first_row, std::span<const float> some) {
    CHECK(first_row == rows);
    rows += some.size() / session.model().info().vocab_size;
    all.insert(all.end(), some.begin(), some.end());
  });
  return all;
}

mla::ErrorCode code_of(mla::Session& session, const std::vector<mla::TokenId>& ids) {
  try {
    session.evaluate(ids);
  } catch (const mla::Error& error) {
    return error.code();
  }
  FAIL("no Error was thrown");
  return {};
}

mla::GenerateOptions greedy(std::size_t tokens) {
  mla::GenerateOptions options;
  options.max_tokens = tokens;
  options.sampler.temperature = 0.0;
  options.ignore_eos = true;
  return options;
}

}  // namespace

TEST_CASE("evaluate gives the last row of evaluate_all", "[session]") {
  const auto model = golden("v3_groups");
  mla::Session one(model, {.threads = 1}), all(model, {.threads = 1});
  const std::vector<float> last = copy(one.evaluate(kIds));
  const std::vector<float> rows = all_logits(all, kIds);
  REQUIRE(rows.size() == kIds.size() * last.size());
  for (std::size_t i = 0; i < last.size(); ++i)
    CHECK(rows[rows.size() - last.size() + i] == Approx(last[i]).margin(1e-5));
  CHECK(one.position() == kIds.size());
}

TEST_CASE("going on after rewind equals a fresh session", "[session]") {
  const auto model = golden("v2_lite_yarn");
  mla::Session session(model, {.threads = 1}), fresh(model, {.threads = 1});
  const std::span<const mla::TokenId> ids = kIds;
  session.evaluate(ids.first(8));
  session.evaluate(std::vector<mla::TokenId>{1, 2, 3, 4});
  session.rewind(8);
  CHECK(session.position() == 8);
  fresh.evaluate(ids.first(8));
  CHECK(copy(session.evaluate(ids.subspan(8))) == copy(fresh.evaluate(ids.subspan(8))));
  CHECK_THROWS_AS(session.rewind(kIds.size() + 1), mla::Error);
}

TEST_CASE("a session checks ids and context before it computes", "[session]") {
  mla::Session session(golden("v3_groups"), {.threads = 1, .context = 4});
  CHECK(session.context() == 4);
  CHECK(code_of(session, {}) == mla::ErrorCode::argument);
  CHECK(code_of(session, {-1}) == mla::ErrorCode::argument);
  CHECK(code_of(session, {1, 103}) == mla::ErrorCode::argument);
  CHECK(code_of(session, {1, 2, 3, 4, 5}) == mla::ErrorCode::limit);
  CHECK(session.position() == 0);
  session.evaluate(std::vector<mla::TokenId>{1, 2, 3, 102});
  CHECK(code_of(session, {1}) == mla::ErrorCode::limit);
  CHECK_THROWS_AS(mla::Session(golden("v3_groups"), {.threads = 1, .batch = 0}), mla::Error);
  CHECK_THROWS_AS(mla::Session(golden("v3_groups"), {.threads = -1}), mla::Error);
  CHECK(mla::Session(golden("v3_groups"), {.threads = 1, .context = 1U << 30U}).context() == 1024);
}

TEST_CASE("perplexity equals a computation of its own", "[perplexity]") {
  const auto model = golden("v3_groups");
  mla::Session session(model, {.threads = 1});
  const std::size_t context =
      GENERATE(std::size_t{6}, std::size_t{40});  // Three windows and a rest; one short window.
  const mla::TokenId bos = GENERATE(-1, 1);
  const mla::PerplexityResult result = mla::perplexity(session, kIds, context, bos);
  const std::size_t width = std::min(context, kIds.size());
  const std::size_t first = kIds.size() < context ? 1 : width / 2;
  std::vector<double> losses;
  for (std::size_t begin = 0; begin + width <= kIds.size(); begin += width) {
    std::vector<mla::TokenId> window(kIds.begin() + static_cast<std::ptrdiff_t>(begin),
                                     kIds.begin() + static_cast<std::ptrdiff_t>(begin + width));
    if (bos >= 0 && begin > 0) window[0] = bos;
    mla::Session fresh(model, {.threads = 1});
    const std::vector<float> rows = all_logits(fresh, window);
    for (std::size_t target = first; target < width; ++target) {
      double sum = 0.0;
      for (std::size_t i = 0; i < 103; ++i)
        sum += std::exp(static_cast<double>(rows[(target - 1) * 103 + i]));
      const auto id = static_cast<std::size_t>(window[target]);
      losses.push_back(std::log(sum) - static_cast<double>(rows[(target - 1) * 103 + id]));
    }
  }
  double mean = 0.0, variance = 0.0;
  for (const double loss : losses) mean += loss / static_cast<double>(losses.size());
  for (const double loss : losses) variance += (loss - mean) * (loss - mean);
  const auto n = static_cast<double>(losses.size());
  CHECK(result.scored_tokens == losses.size());
  CHECK(result.mean_nll == Approx(mean));
  CHECK(result.perplexity == Approx(std::exp(mean)));
  CHECK(result.standard_error == Approx(std::exp(mean) * std::sqrt(variance / n / (n - 1))));
}

TEST_CASE("perplexity refuses what has nothing to score", "[perplexity]") {
  mla::Session session(golden("v3_groups"), {.threads = 1});
  CHECK_THROWS_AS(mla::perplexity(session, std::vector<mla::TokenId>{1}, 8, -1), mla::Error);
  CHECK_THROWS_AS(mla::perplexity(session, kIds, 1, -1), mla::Error);
}

TEST_CASE("generation ends for the reason there is", "[generate]") {
  const auto model = golden("v3_groups");
  mla::Session session(model, {.threads = 1, .context = 24});
  const mla::GenerateResult length = mla::generate(session, nullptr, kIds, greedy(3));
  CHECK(length.reason == mla::FinishReason::length);
  CHECK(length.ids.size() == 3);
  CHECK(length.text.empty());
  CHECK(length.prompt_tokens == kIds.size());
  session.rewind(0);
  const mla::GenerateResult context = mla::generate(session, nullptr, kIds, greedy(100));
  CHECK(context.reason == mla::FinishReason::context);
  CHECK(context.ids.size() == 5);  // The last one needs no place.
  session.rewind(0);
  std::vector<mla::TokenId> seen;
  const auto cancelled =
      mla::generate(session, nullptr, kIds, greedy(100), [&](mla::TokenId id, std::string_view) {
        seen.push_back(id);
        return seen.size() < 2;
      });
  CHECK(cancelled.reason == mla::FinishReason::cancelled);
  CHECK(seen == cancelled.ids);
  CHECK(seen.size() == 2);
  session.rewind(0);
  CHECK(mla::generate(session, nullptr, kIds, greedy(0)).ids.empty());
  session.rewind(0);
  mla::GenerateOptions stop = greedy(1);
  stop.stop = {"x"};
  CHECK_THROWS_AS(mla::generate(session, nullptr, kIds, stop), mla::Error);
  CHECK_THROWS_AS(mla::generate(session, nullptr, {}, greedy(1)), mla::Error);
}

TEST_CASE("a stop string is never given out, and the pieces make up the text", "[generate]") {
  const auto tokenizer = mla::Tokenizer::load(MLA_MODELS_DIR "/stories");
  const auto model = mla::Model::load(MLA_MODELS_DIR "/stories");
  const std::vector<mla::TokenId> prompt = tokenizer->encode("Once upon a time");
  const auto run = [&](const mla::GenerateOptions& options, std::string& pieces) {
    mla::Session session(model, {.threads = 1});
    return mla::generate(session, tokenizer, prompt, options, [&](mla::TokenId, std::string_view piece) {
      pieces += piece;
      return true;
    });
  };
  std::string pieces;
  const mla::GenerateResult whole = run(greedy(24), pieces);
  REQUIRE(whole.text.size() > 20);
  CHECK(pieces == whole.text);
  for (const std::size_t length : {1U, 2U, 7U}) {
    mla::GenerateOptions options = greedy(24);
    options.stop = {whole.text.substr(10, length)};
    std::string shown;
    const mla::GenerateResult result = run(options, shown);
    CHECK(result.reason == mla::FinishReason::stop);
    CHECK(result.text == whole.text.substr(0, whole.text.find(options.stop[0])));
    CHECK(shown == result.text);
  }
}

TEST_CASE("session: a model that was loaded to be described is refused", "[session]") {
  for (const mla::Precision precision : {mla::Precision::f32, mla::Precision::fast}) {
    const std::string path = std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + "v3_dense_only";
    const auto described = mla::Model::load(path, {.precision = precision, .describe_only = true});
    const auto loaded = mla::Model::load(path, {.precision = precision});
    CHECK(described->info().cache_bytes_per_token == loaded->info().cache_bytes_per_token);
    CHECK(described->info().full_cache_bytes_per_token == loaded->info().full_cache_bytes_per_token);
    try {
      const mla::Session session(described);
      FAIL("no error");
    } catch (const mla::Error& error) {
      CHECK(error.code() == mla::ErrorCode::argument);
      CHECK(error.field() == "describe_only");
    }
  }
}
