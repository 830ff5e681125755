// A bound on single allocations.
#pragma once

#include <cstddef>

namespace mla::fuzz {

/// While it lives, an allocation of more than `bytes` ends the process with a stack trace. Only AddressSanitizer lets
/// allocations be watched; without it nothing is bounded.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::size_t bytes);
  ~AllocationLimit();
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;
};

}  // namespace mla::fuzz
