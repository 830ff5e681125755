#include "mla/machine.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "base/thread_pool.h"
#include "bench/peaks.h"
#include "bench/read_bandwidth.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr std::size_t kGigabyte = std::size_t{1} << 30;

/// As the system calls it.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t begin = line.find_first_not_of(" \t:", std::string_view("model name").size());
    if (begin != std::string::npos) return line.substr(begin);
  }
#if defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

std::size_t buffer_bytes(bool quick) {
  const std::size_t wanted =
      quick ? kGigabyte : std::clamp(4 * last_level_cache_bytes(), kGigabyte, 2 * kGigabyte);
  return std::min(wanted, available_memory_bytes() / 4);
}

bool wanted(const MachineOptions& options, const PeakLoop& loop) {
  return std::find(options.units.begin(), options.units.end(), loop.unit) != options.units.end();
}

std::vector<PeakLoop> wanted_loops(const MachineOptions& options) {
  std::vector<PeakLoop> loops = peak_loops(options.every_isa ? available_isas().back() : chosen_isa());
  std::erase_if(loops, [&](const PeakLoop& loop) { return !wanted(options, loop); });
  return loops;
}

}  // namespace

const char* name_of(MultiplyUnit unit) {
  switch (unit) {
    case MultiplyUnit::fp32:
      return "fp32";
    case MultiplyUnit::bf16:
      return "bf16";
    case MultiplyUnit::int8:
      return "int8";
  }
  return "";
}

std::optional<double> MachineLimits::bytes_per_second(int threads) const {
  for (const ReadBandwidth& read : reads)
    if (read.threads == threads) return read.bytes_per_second;
  return std::nullopt;
}

std::optional<double> MachineLimits::operations_per_second(MultiplyUnit unit, int threads) const {
  std::optional<double> best;
  for (const MultiplyPeak& peak : peaks) {
    const bool fits = peak.unit == unit || (unit == MultiplyUnit::bf16 && peak.unit == MultiplyUnit::fp32);
    if (fits && peak.threads == threads && peak.operations_per_second > best.value_or(0.0))
      best = peak.operations_per_second;
  }
  return best;
}

MachineLimits measure_machine(const MachineOptions& options, const MachineProgress& progress) {
  for (const int threads : options.threads)
    if (threads < 1 || threads > kMaxThreads)
      throw Error(ErrorCode::argument, "", "threads",
                  "found " + std::to_string(threads) + ", expected 1 to " + std::to_string(kMaxThreads));
  MachineLimits limits;
  limits.processor = processor_name();
  limits.isa = name_of(chosen_isa());
  limits.cores = default_thread_count();
  limits.memory_bytes = memory_bytes();
  limits.last_level_cache_bytes = last_level_cache_bytes();
  const std::vector<PeakLoop> loops = wanted_loops(options);
  const std::size_t total = options.threads.size() * (loops.size() + (options.read ? 1 : 0));
  std::size_t done = 0;
  const auto step = [&] {
    ++done;
    if (progress) progress(done, total);
  };

  if (options.read && !options.threads.empty()) {
    const int most = *std::max_element(options.threads.begin(), options.threads.end());
    const ReadBuffer buffer(buffer_bytes(options.quick), most);
    limits.read_buffer_bytes = buffer.bytes();
    for (const int threads : options.threads) {
      limits.reads.push_back({threads, buffer.measure(threads, options.quick ? 3 : 8)});
      step();
    }
  }
  for (const PeakLoop& loop : loops)
    for (const int threads : options.threads) {
      const double operations =
          measure_peak(loop, threads, options.quick ? 40 : 100, options.quick ? 0.001 : 0.002);
      limits.peaks.push_back({loop.unit, name_of(loop.isa), threads, operations});
      step();
    }
  return limits;
}

}  // namespace mla
