#include "nn/arena.h"

#include <algorithm>

#include "base/round_up.h"

namespace mla {

Matrix Arena::matrix(std::size_t rows, std::size_t cols) {
  return {reinterpret_cast<float*>(bytes(rows * cols * sizeof(float))), rows, cols, cols};
}

std::byte* Arena::bytes(std::size_t count) {
  constexpr std::size_t kLeastBlock = std::size_t{1} << 20;
  const std::size_t wanted = round_up(count, AlignedMemory::kAlignment);
  while (block_ < blocks_.size() && blocks_[block_].size - used_ < wanted) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::size_t size = std::max(wanted, kLeastBlock);
    blocks_.push_back({AlignedMemory(size), size});
    used_ = 0;
  }
  std::byte* data = blocks_[block_].data.get() + used_;
  used_ += wanted;
  return data;
}

}  // namespace mla
