// The peak loops this process can run.
#pragma once

#include <vector>

#include "bench/peak_loop.h"

namespace mla {

/// Plainest instruction set first. With `most` only those that are not beyond it.
std::vector<PeakLoop> peak_loops(Isa most);

/// Operations a second of `threads` threads at once, the best of `passes` passes of about `seconds` each.
double measure_peak(const PeakLoop& loop, int threads, int passes, double seconds);

}  // namespace mla
