// How fast memory can be read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mla {

/// Memory that was written to, in huge pages where the system gives them.
class ReadBuffer {
 public:
  /// Written by `threads` threads, each its share. Throws Error(io) if there is no such memory.
  ReadBuffer(std::size_t bytes, int threads);
  ~ReadBuffer();
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  std::size_t bytes() const { return bytes_; }

  /// Bytes a second at which `threads` threads read it together, piece by piece, `passes` times: nine tenths of the pieces
  /// were slower.
  double measure(int threads, int passes) const;

 private:
  std::uint64_t* words_ = nullptr;
  std::size_t bytes_;
};

/// Of the machine, and what of it may be used: free or only caching files, within the control group's limit.
std::size_t memory_bytes();
std::size_t available_memory_bytes();

/// 0 if it is not known.
std::size_t last_level_cache_bytes();

}  // namespace mla
