// Memory for large things that are written once and then read for as long as their owner lives.
#pragma once

#include <cstddef>
#include <vector>

namespace mla {

/// Takes whole mappings from the system and asks for huge pages: weights are read from end to end for each token, and
/// with pages of 4 KiB the translations alone would not fit into the processor. Pages come to be where they are first
/// written, so on machines with several memory nodes near the thread that writes them. For one thread at a time.
class PageMemory {
 public:
  PageMemory() = default;
  ~PageMemory();
  PageMemory(PageMemory&& other) noexcept;
  PageMemory& operator=(PageMemory&& other) noexcept;

  /// `bytes` zeros, aligned to 64 bytes, that stay where they are. Throws std::bad_alloc.
  std::byte* take(std::size_t bytes);

  /// All that was taken.
  std::size_t taken() const { return taken_; }

 private:
  struct Mapping {
    void* address;
    std::size_t size;
  };

  void map(std::size_t least);

  std::vector<Mapping> mappings_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace mla
