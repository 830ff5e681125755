// Tells AddressSanitizer of memory that it does not know to be out of bounds.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MLA_POISONS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MLA_POISONS
#endif

#ifdef MLA_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace mla {

/// From here on nobody may touch the bytes; without AddressSanitizer nothing happens.
inline void poison([[maybe_unused]] const std::byte* begin, [[maybe_unused]] std::size_t size) {
#ifdef MLA_POISONS
  __asan_poison_memory_region(begin, size);
#endif
}

inline void unpoison([[maybe_unused]] const std::byte* begin, [[maybe_unused]] std::size_t size) {
#ifdef MLA_POISONS
  __asan_unpoison_memory_region(begin, size);
#endif
}

}  // namespace mla

#undef MLA_POISONS
