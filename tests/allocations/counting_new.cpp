#include "allocations/counting_new.h"

#include <cstdlib>
#include <new>

namespace counting_new {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> failing{0};

}  // namespace counting_new

namespace {

void* counted(std::size_t size, std::size_t alignment) {
  const std::size_t number = counting_new::allocations.fetch_add(1, std::memory_order_relaxed) + 1;
  if (number == counting_new::failing.load(std::memory_order_relaxed)) throw std::bad_alloc();
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The forms for arrays and those that do not throw call these. Not inlined, so that GCC does not see free() take what an
// operator new gave and warn of it.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return counted(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
