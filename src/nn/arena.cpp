#include "nn/arena.h"

#include <algorithm>

namespace mla {

Matrix Arena::matrix(std::size_t rows, std::size_t cols) {
  constexpr std::size_t kLeastBlock = std::size_t{1} << 18;
  const std::size_t wanted = (rows * cols + 15) / 16 * 16;  // Whole cache lines.
  while (block_ < blocks_.size() && blocks_[block_].size - used_ < wanted) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::size_t size = std::max(wanted, kLeastBlock);
    blocks_.push_back({std::make_unique_for_overwrite<float[]>(size), size});
    used_ = 0;
  }
  float* data = blocks_[block_].data.get() + used_;
  used_ += wanted;
  return {data, rows, cols, cols};
}

}  // namespace mla
