// What a forward pass works with: threads, kernels and memory. One for each session.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "nn/arena.h"

namespace mla {

class Workspace {
 public:
  Workspace(int threads, const Kernels& chosen)
      : pool(threads), kernels(chosen), scratch_(static_cast<std::size_t>(threads)) {}

  ThreadPool pool;
  const Kernels& kernels;
  Arena arena;

  /// Memory of one worker's own, valid until it asks again. Contents are not initialized.
  std::span<float> scratch(int worker, std::size_t count) {
    std::vector<float>& buffer = scratch_[static_cast<std::size_t>(worker)];
    if (buffer.size() < count) buffer.resize(count);
    return {buffer.data(), count};
  }

 private:
  std::vector<std::vector<float>> scratch_;
};

}  // namespace mla
