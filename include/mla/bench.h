// How fast a model runs on this machine, and how much of the machine that uses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "mla/export.h"
#include "mla/machine.h"
#include "mla/model.h"
#include "mla/session.h"

namespace mla {

/// prefill: many tokens in one call, in batches. decode: one token after the other.
enum class BenchKind { prefill, decode };

struct BenchTest {
  BenchKind kind = BenchKind::prefill;
  std::size_t tokens = 0;
  std::size_t depth = 0;  ///< Tokens that the session holds before.
  int threads = 1;
};

/// What a pass must do at least.
struct PassWork {
  double bytes =
      0.0;  ///< Weights that a token passes through, as they lie in the file, and rows of the cache.
  /// By MultiplyUnit; a multiply-add is two. Matrices by the unit for their type, attention by the one for the cache's.
  std::array<double, kMultiplyUnits> operations{};

  PassWork& operator+=(const PassWork& other);
};

/// The unit that weights of a type ("Q4_K") are multiplied by. In exact precision everything is float32; with
/// fast the instruction set that was chosen decides for BF16.
MLA_API MultiplyUnit multiply_unit(Precision precision, std::string_view dtype);

/// Of `tokens` tokens in one call behind `first` others, with logits for the last. Bytes are counted as for one token:
/// several of a mixture of experts read more of them, but never more than they multiply by.
MLA_API PassWork pass_work(const Model& model, std::size_t first, std::size_t tokens);

/// Of a test's one repetition. In decode each token reads all of it anew.
MLA_API PassWork test_work(const Model& model, const BenchTest& test);

/// The least seconds that so many operations take at the machine's peaks; nothing where one was not measured.
MLA_API std::optional<double> least_multiply_seconds(const PassWork& work, const MachineLimits& limits,
                                                     int threads);

struct BenchResult {
  BenchTest test;
  std::vector<double> seconds;  ///< Of each repetition.
  PassWork work;                ///< Of one.
};

/// What of a process is in memory, from /proc/self/status; 0 what the system does not tell.
struct ProcessMemory {
  std::size_t peak = 0;       ///< The most that was ever resident (VmHWM).
  std::size_t resident = 0;   ///< Now (VmRSS), mapped files included.
  std::size_t anonymous = 0;  ///< Of it what lies in no file (RssAnon).
};
MLA_API ProcessMemory process_memory();

/// Seconds since this process began. Linux keeps the beginning in hundredths of a second; within these it is made out
/// by the processor time used so far, so ask early.
MLA_API double process_seconds();

struct BenchReport {
  std::vector<BenchResult> results;
  std::vector<BenchTest> skipped;  ///< The context cannot hold them.
  std::size_t context = 0;         ///< It has this many tokens.
  ProcessMemory memory;  ///< After the last test, its session included; `anonymous` is the most after any.
};

struct BenchOptions {
  std::vector<std::size_t> prefill = {512};
  std::vector<std::size_t> decode = {128};
  std::vector<std::size_t> depths = {0};
  std::vector<int> threads = {1};
  std::size_t repetitions = 5;
  std::vector<TokenId> text;  ///< Repeated as often as needed; empty: bench_tokens.
  SessionOptions session;     ///< All but its threads.
};

/// Pseudo-random ids, the same on every machine.
MLA_API std::vector<TokenId> bench_tokens(std::size_t vocab_size, std::size_t count);
inline constexpr std::uint64_t kBenchSeed = 1;

/// Called with the tokens done and to do.
using BenchProgress = std::function<void(std::size_t done, std::size_t total)>;

/// Runs every test at every depth with every number of threads: a depth is reached by one prefill, and before each repetition
/// the session is rewound to it. A repetition that does not count comes first. Tests of no tokens are left out. Throws
/// Error(argument) if there is nothing to run, Error(limit) if the context can hold none of the tests, and what
/// Session throws.
MLA_API BenchReport run_bench(const std::shared_ptr<const Model>& model, const BenchOptions& options,
                              const BenchProgress& progress = {});

struct Spread {
  double median = 0.0;
  double least = 0.0;
  double greatest = 0.0;
};

/// Of at least one value; the median of an even number is the mean of the middle two.
MLA_API Spread spread_of(std::span<const double> values);

}  // namespace mla
