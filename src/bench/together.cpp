#include "bench/together.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/thread_pool.h"
#include "mla/error.h"

namespace mla {
namespace {

using Clock = std::chrono::steady_clock;

struct Interval {
  Clock::time_point begin;
  Clock::time_point end;
};

}  // namespace

double seconds_together(int threads, FunctionRef<void(int thread)> body) {
  if (threads < 1 || threads > kMaxThreads)
    throw Error(ErrorCode::argument, "", "threads",
                "found " + std::to_string(threads) + ", expected 1 to " + std::to_string(kMaxThreads));
  std::vector<Interval> intervals(static_cast<std::size_t>(threads));
  std::atomic<int> ready{0};
  std::atomic<bool> given_up{false};
  const auto run = [&](int thread) {
    ready.fetch_add(1);
    while (ready.load() < threads) {
      if (given_up.load()) return;
      std::this_thread::yield();
    }
    Interval& own = intervals[static_cast<std::size_t>(thread)];
    own.begin = Clock::now();
    body(thread);
    own.end = Clock::now();
  };

  std::vector<std::jthread> others;
  try {
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
  } catch (const std::system_error& error) {
    given_up = true;
    throw Error(ErrorCode::io, "", "threads",
                "cannot start " + std::to_string(threads) + " threads: " + error.what());
  }
  run(0);
  others.clear();  // Joins them.
  const auto first = std::min_element(intervals.begin(), intervals.end(),
                                      [](const auto& a, const auto& b) { return a.begin < b.begin; });
  const auto last = std::max_element(intervals.begin(), intervals.end(),
                                     [](const auto& a, const auto& b) { return a.end < b.end; });
  return std::chrono::duration<double>(last->end - first->begin).count();
}

}  // namespace mla
