// Memory that is written once and read for long.
#include "base/page_memory.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>
#include <vector>

using mla::PageMemory;

TEST_CASE("page memory: pieces are zero, aligned, apart from each other and stay") {
  PageMemory memory;
  std::vector<std::pair<std::byte*, std::size_t>> pieces;
  std::size_t sum = 0;
  for (const std::size_t size : {1U, 64U, 65U, 5000000U, 3U, 9000000U, 100U}) {
    std::byte* const piece = memory.take(size);
    CHECK(reinterpret_cast<std::uintptr_t>(piece) % 64 == 0);
    CHECK(std::all_of(piece, piece + size, [](std::byte byte) { return byte == std::byte{0}; }));
    std::fill_n(piece, size, std::byte{static_cast<unsigned char>(pieces.size() + 1)});
    pieces.emplace_back(piece, size);
    sum += (size + 63) / 64 * 64;
  }
  CHECK(memory.taken() == sum);

  const PageMemory moved = std::move(memory);
  CHECK(moved.taken() == sum);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto [piece, size] = pieces[i];
    const std::byte expected{static_cast<unsigned char>(i + 1)};
    CHECK(std::all_of(piece, piece + size, [&](std::byte byte) { return byte == expected; }));
  }
}

TEST_CASE("page memory: what the system cannot give is bad_alloc, and what was taken stays") {
  PageMemory memory;
  std::byte* const piece = memory.take(10);
  piece[9] = std::byte{7};
  CHECK_THROWS_AS(memory.take(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  CHECK_THROWS_AS(memory.take(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
  CHECK(piece[9] == std::byte{7});
  CHECK(memory.take(10) == piece + 64);
}
