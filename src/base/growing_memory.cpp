#include "base/growing_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "base/huge_pages.h"
#include "base/round_up.h"

namespace mla {
namespace {

constexpr std::size_t kPage = 4096;
/// Less than this is left in small pages: it would be rounded up to much more than it is.
constexpr std::size_t kLarge = 2 * kHugePage;

}  // namespace

GrowingMemory::~GrowingMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void GrowingMemory::grow(std::size_t bytes) {
  if (bytes <= size_) return;
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  const std::size_t size = round_up(bytes, bytes >= kLarge ? kHugePage : kPage);
  std::byte* const larger = map_at_huge_page(size);
  if (data_ != nullptr && ::mremap(data_, size_, size, MREMAP_MAYMOVE | MREMAP_FIXED, larger) == MAP_FAILED) {
    ::munmap(larger, size);
    throw std::bad_alloc();
  }
  data_ = larger;
  size_ = size;
  if (size >= kLarge) advise_huge_pages(data_, size_);
}

}  // namespace mla
