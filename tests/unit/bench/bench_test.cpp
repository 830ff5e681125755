// Running tests: which, how often, and what is left out.
#include "mla/bench.h"

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <vector>

#include "unit/base/thrown.h"

using mla::BenchKind;
using mla::BenchOptions;
using mla::ErrorCode;
using mla::Model;

namespace {

std::shared_ptr<const Model> small_model() {
  return Model::load(MLA_TEST_DATA_DIR "/golden/checkpoints/v3_dense_only");
}

std::string text(const mla::BenchTest& test) {
  return std::string(test.kind == BenchKind::prefill ? "p" : "n") + std::to_string(test.tokens) + "@" +
         std::to_string(test.depth) + "x" + std::to_string(test.threads);
}

std::vector<std::string> texts(const std::vector<mla::BenchResult>& results) {
  std::vector<std::string> all;
  for (const mla::BenchResult& result : results) all.push_back(text(result.test));
  return all;
}

}  // namespace

TEST_CASE("median, least and greatest", "[bench]") {
  const mla::Spread odd = mla::spread_of(std::vector{3.0, 9.0, 1.0});
  CHECK(odd.median == 3.0);
  CHECK(odd.least == 1.0);
  CHECK(odd.greatest == 9.0);
  CHECK(mla::spread_of(std::vector{4.0, 1.0, 2.0, 8.0}).median == 3.0);
  CHECK(mla::spread_of(std::vector{5.0}).median == 5.0);
  CHECK(thrown_by([] { mla::spread_of({}); }).code() == ErrorCode::argument);
}

TEST_CASE("every test runs at every depth with every number of threads", "[bench]") {
  BenchOptions options;
  options.prefill = {6, 0, 3};
  options.decode = {2};
  options.depths = {5, 0};
  options.threads = {2, 1};
  options.repetitions = 3;
  std::vector<std::size_t> steps;
  std::size_t to_do = 0;
  const mla::BenchReport report = run_bench(small_model(), options, [&](std::size_t done, std::size_t total) {
    steps.push_back(done);
    to_do = total;
  });
  CHECK(texts(report.results) == std::vector<std::string>{"p6@0x2", "p3@0x2", "n2@0x2", "p6@5x2", "p3@5x2",
                                                          "n2@5x2", "p6@0x1", "p3@0x1", "n2@0x1", "p6@5x1",
                                                          "p3@5x1", "n2@5x1"});
  for (const mla::BenchResult& result : report.results) {
    CHECK(result.seconds.size() == 3);
    for (const double seconds : result.seconds) CHECK(seconds > 0.0);
    CHECK(result.work.bytes > 0.0);
  }
  CHECK(report.skipped.empty());
  REQUIRE(steps.size() == 12 * 4);
  CHECK(steps.back() == to_do);
  CHECK(report.memory.peak >= report.memory.resident);
  CHECK(report.memory.resident > 0);
}

TEST_CASE("what the context cannot hold is left out", "[bench]") {
  BenchOptions options;
  options.session.context = 10;
  options.prefill = {8};
  options.decode = {2};
  options.depths = {0, 4, 9};
  options.repetitions = 1;
  const mla::BenchReport report = run_bench(small_model(), options);
  CHECK(report.context == 10);
  CHECK(texts(report.results) == std::vector<std::string>{"p8@0x1", "n2@0x1", "n2@4x1"});
  std::vector<std::string> skipped;
  for (const mla::BenchTest& test : report.skipped) skipped.push_back(text(test));
  CHECK(skipped == std::vector<std::string>{"p8@4x1", "p8@9x1", "n2@9x1"});

  options.depths = {9};
  const mla::Error error = thrown_by([&] { run_bench(small_model(), options); });
  CHECK(error.code() == ErrorCode::limit);
  CHECK(std::string(error.what()).find("found tests of 11 tokens") != std::string::npos);
}

TEST_CASE("nothing to run is an error", "[bench]") {
  const auto refused = [](const std::function<void(BenchOptions&)>& change) {
    BenchOptions options;
    change(options);
    return thrown_by([&] { run_bench(small_model(), options); }).code() == ErrorCode::argument;
  };
  CHECK(refused([](BenchOptions& options) { options.prefill = options.decode = {0}; }));
  CHECK(refused([](BenchOptions& options) { options.depths = {}; }));
  CHECK(refused([](BenchOptions& options) { options.threads = {}; }));
  CHECK(refused([](BenchOptions& options) { options.repetitions = 0; }));
  CHECK(refused([](BenchOptions& options) {
    options.prefill = options.decode = {1};
    options.threads = {0};
  }));
}

TEST_CASE("a text's tokens are evaluated, repeated as needed", "[bench]") {
  BenchOptions options;
  options.prefill = {9};
  options.decode = {};
  options.repetitions = 1;
  options.text = {5, 6, 7};
  CHECK(run_bench(small_model(), options).results.size() == 1);
  options.text = {5, 6, 1 << 20};  // Looked at: not in the vocabulary.
  CHECK(thrown_by([&] { run_bench(small_model(), options); }).code() == ErrorCode::argument);
}

TEST_CASE("pseudo-random tokens are in the vocabulary and always the same", "[bench]") {
  const std::vector<mla::TokenId> tokens = mla::bench_tokens(97, 1000);
  REQUIRE(tokens.size() == 1000);
  for (const mla::TokenId id : tokens) CHECK((id >= 0 && id < 97));
  const std::vector<mla::TokenId> fewer = mla::bench_tokens(97, 10);
  CHECK(std::vector(tokens.begin(), tokens.begin() + 10) == fewer);
  CHECK(fewer.front() == 2469588189546311528U % 97);
}

TEST_CASE("a process has run for a while", "[bench]") {
  const double first = mla::process_seconds();
  CHECK(first > 0.0);
  CHECK(first < 1e6);
  CHECK(mla::process_seconds() >= first - 0.02);  // Within the hundredth of a second that it is known to.
}
