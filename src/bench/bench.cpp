#include "mla/bench.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <utility>

#include "mla/error.h"

namespace mla {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kWarmUpSteps = 4;

std::size_t end_of(const BenchTest& test) {
  return test.depth + test.tokens;
}

/// By threads, then by depth, so that one session of as many threads goes deeper and deeper.
std::vector<BenchTest> all_tests(const BenchOptions& options) {
  std::vector<std::size_t> depths = options.depths;
  std::sort(depths.begin(), depths.end());
  std::vector<BenchTest> tests;
  for (const int threads : options.threads) {
    if (threads < 1)
      throw Error(ErrorCode::argument, "", "threads",
                  "found " + std::to_string(threads) + ", expected at least 1");
    for (const std::size_t depth : depths) {
      for (const std::size_t tokens : options.prefill)
        if (tokens > 0) tests.push_back({BenchKind::prefill, tokens, depth, threads});
      for (const std::size_t tokens : options.decode)
        if (tokens > 0) tests.push_back({BenchKind::decode, tokens, depth, threads});
    }
  }
  if (tests.empty() || options.repetitions == 0)
    throw Error(ErrorCode::argument, "", "tests",
                "found none, expected tokens to prefill or decode, a depth, threads and repetitions");
  return tests;
}

class Bench {
 public:
  Bench(std::shared_ptr<const Model> model, const BenchOptions& options, const BenchProgress& progress)
      : model_(std::move(model)), options_(options), progress_(progress) {}

  BenchReport run() {
    std::vector<BenchTest> tests = all_tests(options_);
    report_.context = Session(model_, session_options(1)).context();
    drop_too_long(tests);
    for (const BenchTest& test : tests) total_ += (options_.repetitions + 1) * test.tokens;
    for (auto first = tests.begin(); first != tests.end();) {
      const auto last =
          std::find_if(first, tests.end(), [&](const auto& test) { return test.threads != first->threads; });
      run_session({first, last});
      first = last;
    }
    return std::move(report_);
  }

 private:
  SessionOptions session_options(int threads) const {
    SessionOptions session = options_.session;
    session.threads = threads;
    return session;
  }

  void drop_too_long(std::vector<BenchTest>& tests) {
    const auto fits = [&](const BenchTest& test) { return end_of(test) <= report_.context; };
    const auto kept = std::stable_partition(tests.begin(), tests.end(), fits);
    report_.skipped.assign(kept, tests.end());
    tests.erase(kept, tests.end());
    if (tests.empty()) {
      const auto shortest =
          std::min_element(report_.skipped.begin(), report_.skipped.end(),
                           [](const auto& a, const auto& b) { return end_of(a) < end_of(b); });
      throw Error(ErrorCode::limit, model_->info().path, "context",
                  "found tests of " + std::to_string(end_of(*shortest)) +
                      " tokens and more (depth included), expected at most " +
                      std::to_string(report_.context));
    }
    std::size_t longest = 0;
    for (const BenchTest& test : tests) longest = std::max(longest, end_of(test));
    tokens_ = bench_tokens(model_->info().vocab_size, options_.text.empty() ? longest : 0);
    for (std::size_t i = 0; tokens_.size() < longest; ++i)
      tokens_.push_back(options_.text[i % options_.text.size()]);
  }

  void run_session(std::span<const BenchTest> tests) {
    Session session(model_, session_options(tests.front().threads));
    std::size_t depth = 0;  // What the session holds of the tokens is always right.
    for (const BenchTest& test : tests) {
      session.rewind(depth);
      if (test.depth > depth) evaluate(session, test.depth - depth);
      depth = test.depth;
      report_.results.push_back({test, measure(session, test), test_work(*model_, test)});
      const ProcessMemory now = process_memory();
      const std::size_t anonymous = std::max(report_.memory.anonymous, now.anonymous);
      report_.memory = now;
      report_.memory.anonymous = anonymous;
    }
  }

  std::vector<double> measure(Session& session, const BenchTest& test) {
    // Prefill in any case: it makes room in the cache for all that follows.
    evaluate(session, test.tokens);
    if (test.kind == BenchKind::decode) {
      session.rewind(test.depth);
      for (std::size_t step = 0; step < std::min(test.tokens, kWarmUpSteps); ++step) evaluate(session, 1);
    }
    advance(test.tokens);
    std::vector<double> seconds;
    for (std::size_t repetition = 0; repetition < options_.repetitions; ++repetition) {
      session.rewind(test.depth);
      const Clock::time_point begin = Clock::now();
      if (test.kind == BenchKind::prefill)
        evaluate(session, test.tokens);
      else
        for (std::size_t token = 0; token < test.tokens; ++token) evaluate(session, 1);
      seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
      advance(test.tokens);
    }
    return seconds;
  }

  void evaluate(Session& session, std::size_t count) {
    session.evaluate(std::span(tokens_).subspan(session.position(), count));
  }

  void advance(std::size_t tokens) {
    done_ += tokens;
    if (progress_) progress_(done_, total_);
  }

  std::shared_ptr<const Model> model_;
  const BenchOptions& options_;
  const BenchProgress& progress_;
  std::vector<TokenId> tokens_;
  BenchReport report_;
  std::size_t done_ = 0;
  std::size_t total_ = 0;
};

}  // namespace

std::vector<TokenId> bench_tokens(std::size_t vocab_size, std::size_t count) {
  std::mt19937_64 engine(kBenchSeed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) token = static_cast<TokenId>(engine() % vocab_size);
  return tokens;
}

BenchReport run_bench(const std::shared_ptr<const Model>& model, const BenchOptions& options,
                      const BenchProgress& progress) {
  return Bench(model, options, progress).run();
}

Spread spread_of(std::span<const double> values) {
  if (values.empty()) throw Error(ErrorCode::argument, "", "values", "found none, expected at least one");
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  const double median = sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0;
  return {median, sorted.front(), sorted.back()};
}

}  // namespace mla
