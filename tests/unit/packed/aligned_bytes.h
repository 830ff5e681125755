// Memory aligned as panels are.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "packed/panel.h"

class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size, std::byte fill = std::byte{0xa5})
      : bytes_(size + mla::kPanelAlignment, fill), size_(size) {
    void* at = bytes_.data();
    std::size_t space = bytes_.size();
    data_ = static_cast<std::byte*>(std::align(mla::kPanelAlignment, size, at, space));
  }
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;
  AlignedBytes(AlignedBytes&&) = default;

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t size_;
  std::byte* data_;
};
