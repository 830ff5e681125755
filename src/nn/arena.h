// Memory for the activations of one forward pass: taken in order, given back all at once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "base/aligned_memory.h"
#include "tensor/matrix.h"

namespace mla {

/// Hands out float matrices from blocks that are kept from pass to pass, so that a decode step's
/// activations allocate nothing once one has run. Contents are not initialized.
class Arena {
 public:
  /// Aligned to a cache line of 64 bytes.
  Matrix matrix(std::size_t rows, std::size_t cols);
  std::byte* bytes(std::size_t count);  ///< The same as raw memory.

  /// The same as a list. Numbers are not initialized, objects are as their default constructor leaves them.
  template <typename T>
  std::span<T> list(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= AlignedMemory::kAlignment);
    T* const first = reinterpret_cast<T*>(bytes(count * sizeof(T)));
    std::uninitialized_default_construct_n(first, count);
    return {first, count};
  }

  /// Everything taken while a Scope lives is given back when it ends.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), block_(arena.block_), used_(arena.used_) {}
    ~Scope() {
      arena_.block_ = block_;
      arena_.used_ = used_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    std::size_t block_;
    std::size_t used_;
  };

 private:
  struct Block {
    AlignedMemory data;
    std::size_t size = 0;
  };

  std::vector<Block> blocks_;
  std::size_t block_ = 0;  ///< The block being filled.
  std::size_t used_ = 0;   ///< How much of it is taken.
};

}  // namespace mla
