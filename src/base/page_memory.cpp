#include "base/page_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

#include "base/huge_pages.h"
#include "base/round_up.h"

namespace mla {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

PageMemory::~PageMemory() {
  for (const Mapping& mapping : mappings_) ::munmap(mapping.address, mapping.size);
}

PageMemory::PageMemory(PageMemory&& other) noexcept
    : mappings_(std::exchange(other.mappings_, {})),
      next_(std::exchange(other.next_, nullptr)),
      left_(std::exchange(other.left_, 0)),
      taken_(std::exchange(other.taken_, 0)) {}

PageMemory& PageMemory::operator=(PageMemory&& other) noexcept {
  std::swap(mappings_, other.mappings_);
  std::swap(next_, other.next_);
  std::swap(left_, other.left_);
  std::swap(taken_, other.taken_);
  return *this;
}

std::byte* PageMemory::take(std::size_t bytes) {
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  const std::size_t wanted = round_up(bytes, kAlignment);
  if (wanted > left_) map(wanted);
  std::byte* taken = next_;
  next_ += wanted;
  left_ -= wanted;
  taken_ += wanted;
  return taken;
}

/// Mappings grow with what there is, so that small models do not reserve much and large ones are not cut up.
void PageMemory::map(std::size_t least) {
  constexpr std::size_t kLeast = 2 * kHugePage;
  constexpr std::size_t kMost = std::size_t{256} << 20;
  const std::size_t size = round_up(std::max(least, std::clamp(taken_, kLeast, kMost)), kHugePage);
  mappings_.reserve(mappings_.size() + 1);
  next_ = map_at_huge_page(size);
  mappings_.push_back({next_, size});
  left_ = size;
  advise_huge_pages(next_, size);
}

}  // namespace mla
