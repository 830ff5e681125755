// A persistent pool of threads that shares out the items of one loop at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/function_ref.h"

namespace mla {

/// Physical cores this process may use: its affinity mask, cores counted once however many hardware threads
/// they have, and no more than its control groups' CPU quota. At least 1.
int default_thread_count();

inline constexpr int kMaxThreads = 512;

/// The caller of `parallel_for` works too, so a pool of n has n - 1 threads of its own. Which thread takes
/// which item is left to chance; results stay the same for every number of threads as long as items are
/// independent and their number and extent do not depend on `size()`.
class ThreadPool {
 public:
  /// `threads` in [1, kMaxThreads]; throws Error(argument) otherwise.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls body(item, worker) once for each item in [0, count), worker in [0, size()), and returns when all
  /// are done. If a body throws, the first exception is thrown again here once no body runs any more. One
  /// caller at a time, and never from within a body.
  void parallel_for(std::size_t count, FunctionRef<void(std::size_t item, int worker)> body);

 private:
  using Body = FunctionRef<void(std::size_t, int)>;

  void join_all();
  void work(int worker);
  void take_items(int worker);
  void wait_for_ticket();
  bool items_left() const;

  // Number of items and next item in one word, so that a thread that comes late can never take an item of a
  // loop it has not seen: taking is one compare-and-swap, and only a taken item gives the right to read
  // body_.
  // On cache lines of their own: all write the first, and who waits for the second reads it all the time.
  static constexpr std::size_t kCacheLine = 64;
  alignas(kCacheLine) std::atomic<std::uint64_t> ticket_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> finished_{0};
  alignas(kCacheLine) const Body* body_ = nullptr;  // And what is written once a loop, or less.
  std::atomic<int> sleeping_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace mla
