#include "bench/peaks.h"

#include <algorithm>
#include <cmath>

#include "bench/together.h"

namespace mla {
namespace {

std::vector<PeakLoop> compiled_loops() {
#if defined(__x86_64__)
  return {kAvx2Fp32,   kAvx2Int8,       kAvxVnniInt8, kAvx512Fp32, kAvx512Int8,
          kAvx512Bf16, kAvx512VnniInt8, kAmxInt8,     kAmxBf16};
#elif defined(__aarch64__)
  return {kNeonFp32, kNeonInt8, kNeonDotprodInt8, kNeonI8mmInt8};
#else
  return {};
#endif
}

}  // namespace

std::vector<PeakLoop> peak_loops(Isa most) {
  const std::span<const Isa> isas = available_isas();
  const auto end = std::find(isas.begin(), isas.end(), most);
  std::vector<PeakLoop> loops;
  for (const PeakLoop& loop : compiled_loops()) {
    const auto found = std::find(isas.begin(), isas.end(), loop.isa);
    if (found != isas.end() && found <= end) loops.push_back(loop);
  }
  return loops;
}

double measure_peak(const PeakLoop& loop, int threads, int passes, double seconds) {
  constexpr unsigned long kTrialRounds = 20000;
  const auto run = [&](unsigned long rounds) {
    return seconds_together(threads, [&](int) { loop.run(rounds); });
  };
  run(kTrialRounds);  // Wakes the unit.
  const double trial = std::max(run(kTrialRounds), 1e-7);
  const auto rounds = static_cast<unsigned long>(std::ceil(seconds / trial * double{kTrialRounds}));
  double best = run(rounds);
  for (int pass = 1; pass < passes; ++pass) best = std::min(best, run(rounds));
  return static_cast<double>(rounds) * loop.operations * threads / best;
}

}  // namespace mla
