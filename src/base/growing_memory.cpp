#include "base/growing_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace mla {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
/// Less than this is left in small pages: it would be rounded up to much more than it is.
constexpr std::size_t kLarge = 2 * kHugePage;

constexpr std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

/// A mapping of `size` bytes that begins at a huge page.
std::byte* map_aligned(std::size_t size) {
  void* const address =
      ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  std::byte* const begin = static_cast<std::byte*>(address);
  const auto number = reinterpret_cast<std::uintptr_t>(begin);
  const std::size_t before = round_up(number, kHugePage) - number;
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + size, kHugePage - before);
  return begin + before;
}

}  // namespace

GrowingMemory::~GrowingMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void GrowingMemory::grow(std::size_t bytes) {
  if (bytes <= size_) return;
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  const std::size_t size = round_up(bytes, bytes >= kLarge ? kHugePage : kPage);
  std::byte* const larger = map_aligned(size);
  if (data_ != nullptr && ::mremap(data_, size_, size, MREMAP_MAYMOVE | MREMAP_FIXED, larger) == MAP_FAILED) {
    ::munmap(larger, size);
    throw std::bad_alloc();
  }
  data_ = larger;
  size_ = size;
  if (size >= kLarge) ::madvise(data_, size_, MADV_HUGEPAGE);  // A kernel without huge pages says no.
}

}  // namespace mla
