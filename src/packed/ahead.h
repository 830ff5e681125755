// Memory that is read soon.
#pragma once

#include <cstddef>

namespace mla {

/// Kernels that work in the near caches fetch it on the side, some lines at each of their steps, so that the bus never
/// rests.
struct Ahead {
  const std::byte* next = nullptr;
  const std::byte* end = nullptr;
  std::size_t lines = 0;  ///< Of 64 bytes, at each step.
};

}  // namespace mla
