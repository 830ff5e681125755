// What this machine can do at most: how fast it reads memory, how fast it multiplies.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mla/export.h"

namespace mla {

/// What multiplies: float32; pairs of bfloat16 added up in float32; groups of 8-bit integers added up in 32 bits.
enum class MultiplyUnit { fp32, bf16, int8 };
inline constexpr std::size_t kMultiplyUnits = 3;

MLA_API const char* name_of(MultiplyUnit unit);

struct ReadBandwidth {
  int threads = 0;
  double bytes_per_second = 0.0;
};

struct MultiplyPeak {
  MultiplyUnit unit = MultiplyUnit::fp32;
  std::string isa;  ///< As MLA_ISA names it.
  int threads = 0;
  double operations_per_second = 0.0;  ///< A multiplication and its addition are two.
};

struct MachineLimits {
  std::string processor;
  std::string isa;                         ///< The one in use: the best, or MLA_ISA.
  int cores = 0;                           ///< Physical ones this process may use.
  std::size_t memory_bytes = 0;            ///< Of the machine.
  std::size_t last_level_cache_bytes = 0;  ///< 0: unknown.
  std::size_t read_buffer_bytes = 0;       ///< What the bandwidth was measured over.
  std::vector<ReadBandwidth> reads;
  std::vector<MultiplyPeak> peaks;

  /// Nothing where it was not measured.
  std::optional<double> bytes_per_second(int threads) const;

  /// The greatest peak of a unit. bf16 may also be multiplied as fp32, which on some machines is faster.
  std::optional<double> operations_per_second(MultiplyUnit unit, int threads) const;
};

struct MachineOptions {
  std::vector<int> threads = {1};
  bool read = true;
  std::vector<MultiplyUnit> units = {MultiplyUnit::fp32, MultiplyUnit::bf16, MultiplyUnit::int8};
  bool every_isa = true;  ///< Or those only that are not beyond the one in use.
  bool quick = false;     ///< About a second in all, instead of several.
};

/// Called with the measurements done and to do.
using MachineProgress = std::function<void(std::size_t done, std::size_t total)>;

/// Whatever else runs on the machine only takes away. So both are measured over pieces of a millisecond or two, which it
/// does not hit all, and count as the best of them, or for the bandwidth as what a tenth of them reach. Bandwidth: sums
/// over a buffer in huge pages of four times the last-level cache, but 1 to 2 GiB (quick: 1 GiB), and no more than a
/// quarter of the free memory. Peaks: independent chains of multiply-adds that stay in registers; there are none for
/// scalar code. Throws Error(argument) for threads out of range, Error(io) if there is no memory for the buffer.
MLA_API MachineLimits measure_machine(const MachineOptions& options, const MachineProgress& progress = {});

}  // namespace mla
