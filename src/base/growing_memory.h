// One stretch of memory that grows and is read from end to end again and again.
#pragma once

#include <cstddef>

namespace mla {

/// Takes whole mappings from the system, in huge pages once it is large: with pages of 4 KiB the translations of what is
/// fetched ahead hold up the rest. What is in it moves along when it grows without being copied, and pages that nothing
/// was written to take no memory.
class GrowingMemory {
 public:
  GrowingMemory() = default;
  ~GrowingMemory();
  GrowingMemory(const GrowingMemory&) = delete;
  GrowingMemory& operator=(const GrowingMemory&) = delete;

  /// Null before it has grown, then aligned to a page.
  std::byte* get() const { return data_; }

  /// Makes room for `bytes` if there is not; what is new is zeros. Throws std::bad_alloc, and then nothing has changed.
  void grow(std::size_t bytes);

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mla
