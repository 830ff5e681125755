#include "bench/read_bandwidth.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "bench/together.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr std::size_t kPage = std::size_t{1} << 21;
constexpr std::size_t kLineWords = 8;
constexpr std::size_t kLineBytes = kLineWords * sizeof(std::uint64_t);
// 16 MiB for each thread: about a millisecond, which other programs of a busy machine mostly do not interrupt.
constexpr std::size_t kPieceLines = std::size_t{1} << 18;

/// The share [begin, end) of `count` lines that is thread's.
struct Share {
  std::size_t begin;
  std::size_t end;
};
Share share_of(std::size_t count, int thread, int threads) {
  const auto part = [&](int index) {
    return count * static_cast<std::size_t>(index) / static_cast<std::size_t>(threads);
  };
  return {part(thread), part(thread + 1)};
}

/// Adds up by vectors, if only the baseline's: the bus is slower still.
std::uint64_t sum_lines(const std::uint64_t* words, Share lines) {
  std::uint64_t sums[kLineWords] = {};
  for (std::size_t line = lines.begin; line < lines.end; ++line) {
    const std::uint64_t* at = words + line * kLineWords;
    __builtin_prefetch(at + 64 * kLineWords);
    for (std::size_t i = 0; i < kLineWords; ++i) sums[i] += at[i];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t part : sums) sum += part;
  return sum;
}

/// A "name: number kB" of /proc/meminfo in bytes.
std::size_t memory_field(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::size_t value = 0;
  std::string rest;
  while (file >> key >> value && std::getline(file, rest))
    if (key == name + ":") return value * 1024;
  return 0;
}

std::size_t control_group_limit() {
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  for (const char* place : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(place);
    if (std::size_t limit = 0; file >> limit) return limit;  // "max" is no number.
  }
  return kNone;
}

}  // namespace

ReadBuffer::ReadBuffer(std::size_t bytes, int threads)
    : bytes_(std::max(bytes / kPage, std::size_t{1}) * kPage) {
  void* const memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Error(ErrorCode::io, "", "read buffer",
                "cannot have " + std::to_string(bytes_) + " bytes: " + std::strerror(errno));
  ::madvise(memory, bytes_, MADV_HUGEPAGE);  // Where it is refused small pages do.
  words_ = static_cast<std::uint64_t*>(memory);
  const std::size_t words = bytes_ / sizeof(std::uint64_t);
  seconds_together(threads, [&](int thread) {
    const Share own = share_of(words, thread, threads);
    for (std::size_t i = own.begin; i < own.end; ++i) words_[i] = i;
  });
}

ReadBuffer::~ReadBuffer() {
  ::munmap(words_, bytes_);
}

double ReadBuffer::measure(int threads, int passes) const {
  const std::size_t lines = bytes_ / kLineBytes;
  const std::size_t piece = std::min(lines, kPieceLines * static_cast<std::size_t>(threads));
  std::vector<double> rates;
  for (int pass = 0; pass < passes; ++pass)
    for (std::size_t first = 0; first + piece <= lines; first += piece) {
      const double seconds = seconds_together(threads, [&](int thread) {
        const Share own = share_of(piece, thread, threads);
        const std::uint64_t sum = sum_lines(words_, {first + own.begin, first + own.end});
        asm volatile("" ::"r"(sum));  // Else nobody would need it.
      });
      rates.push_back(static_cast<double>(piece * kLineBytes) / seconds);
    }
  const auto at = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() * 9 / 10);
  std::nth_element(rates.begin(), at, rates.end());
  return *at;
}

std::size_t memory_bytes() {
  return memory_field("MemTotal");
}

std::size_t available_memory_bytes() {
  return std::min(memory_field("MemAvailable"), control_group_limit());
}

std::size_t last_level_cache_bytes() {
#if defined(_SC_LEVEL3_CACHE_SIZE)
  const long third = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  const long second = ::sysconf(_SC_LEVEL2_CACHE_SIZE);
  return static_cast<std::size_t>(std::max({third, second, 0L}));
#else
  return 0;
#endif
}

}  // namespace mla
