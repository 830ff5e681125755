#include "fuzz/allocation_limit.h"

#include <cstdio>
#include <cstdlib>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MLA_HAS_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MLA_HAS_ADDRESS_SANITIZER
#endif

#ifdef MLA_HAS_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>

#include <atomic>

// As in sanitizer/allocator_interface.h, which GCC does not install.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_allocation)(const volatile void* address,
                                                                               std::size_t size),
                                                         void (*on_release)(const volatile void* address));

namespace mla::fuzz {
namespace {

constexpr std::size_t kNone = SIZE_MAX;
std::atomic<std::size_t> most{kNone};

void on_allocation(const volatile void* /*address*/, std::size_t size) {
  const std::size_t limit = most.load(std::memory_order_relaxed);
  if (size <= limit) return;
  most = kNone;  // What follows may allocate.
  std::fprintf(stderr, "an allocation of %zu bytes, expected at most %zu for this input\n", size, limit);
  __sanitizer_print_stack_trace();
  std::abort();
}

void on_release(const volatile void* /*address*/) {}

const int installed = __sanitizer_install_malloc_and_free_hooks(on_allocation, on_release);

}  // namespace

AllocationLimit::AllocationLimit(std::size_t bytes) {
  if (installed == 0) std::abort();
  most = bytes;
}
AllocationLimit::~AllocationLimit() {
  most = kNone;
}

}  // namespace mla::fuzz

#else

namespace mla::fuzz {

AllocationLimit::AllocationLimit(std::size_t /*bytes*/) {}
AllocationLimit::~AllocationLimit() = default;

}  // namespace mla::fuzz

#endif
