#include "base/page_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

namespace mla {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

constexpr std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

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
  const std::size_t reserved = size + kHugePage;
  mappings_.reserve(mappings_.size() + 1);
  void* address = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  mappings_.push_back({address, reserved});
  std::byte* const begin = static_cast<std::byte*>(address);
  next_ = begin + (round_up(reinterpret_cast<std::uintptr_t>(begin), kHugePage) -
                   reinterpret_cast<std::uintptr_t>(begin));
  left_ = size;
  ::madvise(next_, size, MADV_HUGEPAGE);  // A kernel without huge pages says no; small ones serve as well.
}

}  // namespace mla
