#include "base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "base/round_up.h"

namespace mla {

std::byte* map_at_huge_page(std::size_t size) {
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

void advise_huge_pages(std::byte* begin, std::size_t size) {
  ::madvise(begin, size, MADV_HUGEPAGE);
}

}  // namespace mla
