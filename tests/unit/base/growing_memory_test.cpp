#include "base/growing_memory.h"

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

using mla::GrowingMemory;

TEST_CASE("growing memory: what is there stays and what is new is zeros") {
  GrowingMemory memory;
  CHECK(memory.get() == nullptr);
  std::size_t before = 0;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{5000}, std::size_t{3} << 20,
                                  std::size_t{9} << 20, (std::size_t{9} << 20) + 1, std::size_t{40} << 20}) {
    memory.grow(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(memory.get()) % 4096 == 0);
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < bytes; at += 997)
      if (memory.get()[at] != std::byte{static_cast<unsigned char>(at < before ? at % 251 + 1 : 0)}) ++wrong;
    CHECK(wrong == 0);
    for (std::size_t at = 0; at < bytes; at += 997)
      memory.get()[at] = std::byte{static_cast<unsigned char>(at % 251 + 1)};
    before = bytes;
  }
  const std::byte* const last = memory.get();
  memory.grow(7);
  CHECK(memory.get() == last);
}

TEST_CASE("growing memory: too much is refused and changes nothing") {
  GrowingMemory memory;
  memory.grow(100);
  memory.get()[99] = std::byte{5};
  const std::byte* const before = memory.get();
  CHECK_THROWS_AS(memory.grow(SIZE_MAX), std::bad_alloc);
  CHECK_THROWS_AS(memory.grow(SIZE_MAX / 4), std::bad_alloc);
  CHECK(memory.get() == before);
  CHECK(memory.get()[99] == std::byte{5});
}
