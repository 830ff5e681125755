// Memory as panels and activations want it: at a multiple of 64 bytes, and full of what nobody wrote.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size, std::byte fill = std::byte{0xa5}) : bytes_(size + 64, fill) {
    void* at = bytes_.data();
    std::size_t space = bytes_.size();
    data_ = static_cast<std::byte*>(std::align(64, size, at, space));
  }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  AlignedBytes(AlignedBytes&&) = default;
  AlignedBytes& operator=(AlignedBytes&&) = default;

  std::byte* data() { return data_; }

 private:
  std::vector<std::byte> bytes_;
  std::byte* data_;
};
