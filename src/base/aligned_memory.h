// Raw memory at the beginning of a cache line.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace mla {

/// Contents are not initialized.
class AlignedMemory {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedMemory() = default;
  /// Throws std::bad_alloc.
  explicit AlignedMemory(std::size_t bytes)
      : data_(static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{kAlignment}))) {}

  std::byte* get() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* data) const { ::operator delete[](data, std::align_val_t{kAlignment}); }
  };

  std::unique_ptr<std::byte[], Free> data_;
};

}  // namespace mla
