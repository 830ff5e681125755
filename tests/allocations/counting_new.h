// The global operator new of this program counts, and fails when it is told to.
#pragma once

#include <atomic>
#include <cstddef>

namespace counting_new {

extern std::atomic<std::size_t> allocations;

/// The allocation for which `allocations` becomes this throws std::bad_alloc, and all behind it do not. 0: none.
extern std::atomic<std::size_t> failing;

}  // namespace counting_new
