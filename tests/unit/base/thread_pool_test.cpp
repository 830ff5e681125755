#include "base/thread_pool.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "thrown.h"

using namespace mla;

namespace {

/// Runs `count` items and says whether each was run exactly once, by a worker there is.
bool each_once(ThreadPool& pool, std::size_t count) {
  std::vector<std::atomic<int>> calls(count);
  std::atomic<bool> workers_in_range{true};
  std::atomic<bool> items_in_range{true};
  pool.parallel_for(count, [&](std::size_t item, int worker) {
    if (worker < 0 || worker >= pool.size()) workers_in_range = false;
    if (item >= count)
      items_in_range = false;
    else
      ++calls[item];
  });
  for (const std::atomic<int>& call : calls)
    if (call != 1) return false;
  return workers_in_range && items_in_range;
}

}  // namespace

TEST_CASE("a thread pool runs every item exactly once", "[threads]") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 8U, 9U, 64U, 1000U, 20000U}) {
      INFO(threads << " threads, " << count << " items");
      CHECK(each_once(pool, count));
    }
  }
}

TEST_CASE("a thread pool runs thousands of small loops back to back", "[threads]") {
  for (const int threads : {2, 3, 8}) {
    ThreadPool pool(threads);
    std::size_t total = 0;
    std::size_t expected = 0;
    for (std::size_t loop = 0; loop < 5000; ++loop) {
      // Not atomic: a loop is over for everybody when parallel_for returns, so its items' writes are seen.
      std::size_t written[5] = {};
      const std::size_t count = loop % 6;
      pool.parallel_for(count, [&](std::size_t item, int) { written[item] += loop + item; });
      for (std::size_t item = 0; item < count; ++item) {
        total += written[item];
        expected += loop + item;
      }
    }
    CHECK(total == expected);
  }
}

TEST_CASE("no two items run on one worker at the same time", "[threads]") {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> busy(4);
  std::atomic<int> collisions{0};
  for (int loop = 0; loop < 200; ++loop)
    pool.parallel_for(16, [&](std::size_t, int worker) {
      std::atomic<int>& mine = busy[static_cast<std::size_t>(worker)];
      if (mine.fetch_add(1) != 0) ++collisions;
      mine.fetch_sub(1);
    });
  CHECK(collisions == 0);
}

TEST_CASE("the caller of a thread pool is worker 0", "[threads]") {
  ThreadPool pool(3);
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> wrong{0};
  pool.parallel_for(200, [&](std::size_t, int worker) {
    if ((worker == 0) != (std::this_thread::get_id() == caller)) ++wrong;
  });
  CHECK(wrong == 0);
}

TEST_CASE("sleeping workers wake and all of them work", "[threads]") {
  for (const int threads : {2, 3, 8}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 3; ++round) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // Much longer than they look around for.
      // Each item waits until every one has begun, which takes as many workers as items.
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      std::atomic<int> begun{0};
      std::atomic<bool> late{false};
      std::mutex mutex;
      std::set<int> workers;
      pool.parallel_for(static_cast<std::size_t>(threads), [&](std::size_t, int worker) {
        ++begun;
        while (begun < threads && !late) {
          if (std::chrono::steady_clock::now() > deadline) late = true;
          std::this_thread::yield();
        }
        const std::lock_guard lock(mutex);
        workers.insert(worker);
      });
      INFO(threads << " threads, round " << round);
      CHECK_FALSE(late);
      CHECK(workers.size() == static_cast<std::size_t>(threads));
    }
  }
}

TEST_CASE("an exception in a loop comes out of it, and the pool goes on", "[threads]") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (const std::size_t thrower : {0U, 49U, 99U}) {
      INFO(threads << " threads, item " << thrower);
      std::atomic<int> running{0};
      CHECK_THROWS_WITH(pool.parallel_for(100,
                                          [&](std::size_t item, int) {
                                            ++running;
                                            if (item == thrower) {
                                              --running;
                                              throw std::runtime_error("item " + std::to_string(item));
                                            }
                                            --running;
                                          }),
                        "item " + std::to_string(thrower));
      CHECK(running == 0);  // No body runs any more.
      CHECK(each_once(pool, 100));
    }
  }
}

TEST_CASE("when every item throws, one exception comes out", "[threads]") {
  ThreadPool pool(3);
  for (int round = 0; round < 20; ++round) {
    CHECK_THROWS_AS(pool.parallel_for(50, [](std::size_t item, int) { throw item; }), std::size_t);
    CHECK(each_once(pool, 50));
  }
}

TEST_CASE("a thread pool may end without ever having worked", "[threads]") {
  for (int round = 0; round < 20; ++round) {
    const ThreadPool pool(1 + round % 8);
    CHECK(pool.size() == 1 + round % 8);
  }
}

TEST_CASE("a thread pool refuses numbers of threads out of range") {
  for (const int threads : {-1, 0, kMaxThreads + 1}) {
    const Error error = thrown_by([&] { const ThreadPool pool(threads); });
    CHECK(error.code() == ErrorCode::argument);
    CHECK(error.field() == "threads");
    CHECK_THAT(error.what(), Catch::Contains("found " + std::to_string(threads)));
  }
}

TEST_CASE("the default number of threads is one that a pool takes") {
  CHECK(default_thread_count() >= 1);
  CHECK(default_thread_count() <= kMaxThreads);
  CHECK(default_thread_count() <= static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}
