#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "base/cpu_quota.h"
#include "mla/error.h"

namespace mla {
namespace {

// About 50 us of looking before a thread gives its core away: longer than the gap between two loops of a
// decode step.
constexpr int kSpins = 2000;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr std::uint64_t pack(std::uint64_t count, std::uint64_t next) {
  return count << 32 | next;
}
constexpr std::uint64_t count_of(std::uint64_t ticket) {
  return ticket >> 32;
}
constexpr std::uint64_t next_of(std::uint64_t ticket) {
  return ticket & 0xffffffffU;
}

int read_topology(std::size_t cpu, const char* name) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + name);
  int value = -1;
  return file >> value ? value : -1;
}

}  // namespace

int default_thread_count() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  std::set<std::pair<int, int>> cores;
  int unknown = 0;
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    const std::pair core(read_topology(cpu, "physical_package_id"), read_topology(cpu, "core_id"));
    if (core.second < 0)
      ++unknown;
    else
      cores.insert(core);
  }
  int count = static_cast<int>(cores.size()) + unknown;
  if (const int quota = cpu_quota(); quota > 0) count = std::min(count, quota);
  return std::clamp(count, 1, kMaxThreads);
}

ThreadPool::ThreadPool(int threads) {
  if (threads < 1 || threads > kMaxThreads)
    throw Error(ErrorCode::argument, "", "threads",
                "found " + std::to_string(threads) + ", expected 1 to " + std::to_string(kMaxThreads));
  threads_.reserve(static_cast<std::size_t>(threads) - 1);
  try {
    for (int worker = 1; worker < threads; ++worker) threads_.emplace_back([this, worker] { work(worker); });
  } catch (const std::system_error& error) {
    join_all();
    throw Error(ErrorCode::io, "", "threads",
                "cannot start " + std::to_string(threads) + " threads: " + error.what());
  } catch (...) {  // Of memory: those that run must not be left alone.
    join_all();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  join_all();
}

void ThreadPool::join_all() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::parallel_for(std::size_t count, Body body) {
  if (threads_.empty() || count <= 1) {
    for (std::size_t item = 0; item < count; ++item) body(item, 0);
    return;
  }
  body_ = &body;
  finished_.store(0, std::memory_order_relaxed);
  // seq_cst here and in wait_for_ticket: either this sees the sleeper or the sleeper sees the ticket.
  ticket_.store(pack(count, 0), std::memory_order_seq_cst);
  if (sleeping_.load(std::memory_order_seq_cst) > 0) {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  take_items(0);
  for (int spins = 0; finished_.load(std::memory_order_acquire) != count; ++spins) {
    if (spins < kSpins)
      pause_briefly();
    else
      std::this_thread::yield();
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

bool ThreadPool::items_left() const {
  const std::uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
  return next_of(ticket) < count_of(ticket);
}

void ThreadPool::take_items(int worker) {
  std::uint64_t taken = 0;
  std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (next_of(ticket) < count_of(ticket)) {
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel,
                                       std::memory_order_acquire))
      continue;
    try {
      (*body_)(next_of(ticket), worker);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
    ++taken;
    ticket = ticket_.load(std::memory_order_acquire);
  }
  // Once for all: until this is added the loop is not over, so they were all items of one.
  if (taken > 0) finished_.fetch_add(taken, std::memory_order_acq_rel);
}

void ThreadPool::wait_for_ticket() {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (items_left() || stop_.load(std::memory_order_relaxed)) return;
    pause_briefly();
  }
  std::unique_lock lock(mutex_);
  sleeping_.fetch_add(1, std::memory_order_seq_cst);
  wake_.wait(lock, [this] { return items_left() || stop_.load(std::memory_order_relaxed); });
  sleeping_.fetch_sub(1, std::memory_order_seq_cst);
}

void ThreadPool::work(int worker) {
  while (!stop_.load(std::memory_order_relaxed)) {
    take_items(worker);
    wait_for_ticket();
  }
}

}  // namespace mla
