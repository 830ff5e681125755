// Timing several threads that do the same at the same time.
#pragma once

#include "base/function_ref.h"

namespace mla {

/// Calls body(thread) on `threads` threads, this one included, all at once, and returns the seconds from the first
/// beginning to the last end. Throws Error(argument) for threads out of range, Error(io) if they cannot be started.
double seconds_together(int threads, FunctionRef<void(int thread)> body);

}  // namespace mla
