#include "nn/kv_cache.h"

#include <catch2/catch.hpp>

#include <cstddef>
#include <new>
#include <vector>

using mla::KvCache;
using mla::Matrix;

namespace {

Matrix stream_of(KvCache& cache, std::size_t stream, std::size_t layer, std::size_t tokens) {
  if (stream == 0) return cache.first(layer, tokens);
  return stream == 1 ? cache.second(layer, tokens) : cache.third(layer, tokens);
}

float mark(std::size_t layer, std::size_t stream, std::size_t row, std::size_t col) {
  return static_cast<float>(((row * 8 + col) * 4 + layer) * 3 + stream);
}

void write(KvCache& cache, std::size_t layers, std::size_t from, std::size_t to) {
  for (std::size_t layer = 0; layer < layers; ++layer)
    for (const std::size_t stream : {0U, 1U, 2U}) {
      const Matrix rows = stream_of(cache, stream, layer, to);
      for (std::size_t row = from; row < to; ++row)
        for (std::size_t col = 0; col < rows.cols; ++col) rows.row(row)[col] = mark(layer, stream, row, col);
    }
}

bool holds(KvCache& cache, std::size_t layers, std::size_t tokens) {
  for (std::size_t layer = 0; layer < layers; ++layer)
    for (const std::size_t stream : {0U, 1U, 2U}) {
      const Matrix rows = stream_of(cache, stream, layer, tokens);
      for (std::size_t row = 0; row < tokens; ++row)
        for (std::size_t col = 0; col < rows.cols; ++col)
          if (rows.row(row)[col] != mark(layer, stream, row, col)) return false;
    }
  return true;
}

}  // namespace

TEST_CASE("cache: each layer has its own widths") {
  KvCache cache({{5, 2}, {3, 0, 4}, {1, 7}}, 100);
  cache.reserve(10);
  CHECK(cache.limit() == 100);
  CHECK(cache.bytes_per_token() == 4 * (5 + 2 + 3 + 4 + 1 + 7));
  CHECK(cache.first(0, 9).rows == 9);
  CHECK(cache.first(0, 9).cols == 5);
  CHECK(cache.first(0, 9).stride == 5);
  CHECK(cache.second(0, 10).cols == 2);
  CHECK(cache.second(1, 10).cols == 0);
  CHECK(cache.third(0, 10).cols == 0);
  CHECK(cache.third(1, 10).cols == 4);
  CHECK(cache.third(1, 10).stride == 4);
  CHECK(cache.first(2, 10).cols == 1);
  CHECK(cache.second(2, 10).cols == 7);
  CHECK(KvCache({}, 8).bytes_per_token() == 0);
}

TEST_CASE("cache: growing keeps what is there") {
  KvCache cache({{5, 2, 3}, {3, 1}}, 1000);
  std::size_t written = 0;
  for (const std::size_t tokens : {1U, 2U, 63U, 64U, 65U, 129U, 600U, 999U, 1000U}) {
    cache.reserve(tokens);
    CHECK(holds(cache, 2, written));
    write(cache, 2, written, tokens);
    written = tokens;
    CHECK(holds(cache, 2, written));
  }
  const float* before = cache.first(0, 1).data;
  cache.reserve(1000);
  cache.reserve(3);
  CHECK(cache.first(0, 1).data == before);
  CHECK(holds(cache, 2, 1000));
}

TEST_CASE("cache: token by token it moves seldom") {
  KvCache cache({{8, 4}}, 4096);
  std::size_t moves = 0;
  const float* last = nullptr;
  for (std::size_t tokens = 1; tokens <= 4096; ++tokens) {
    cache.reserve(tokens);
    const float* data = cache.first(0, tokens).data;
    if (data != last) ++moves;
    last = data;
  }
  CHECK(moves <= 7);  // 64, 128, ... 4096.
}

// An allocation that no machine can serve ends the program under AddressSanitizer.
#if !defined(__SANITIZE_ADDRESS__)
TEST_CASE("cache: it stays usable when memory runs out") {
  KvCache cache({{5, 2}, {3, 1}}, std::size_t{1} << 62U);
  cache.reserve(40);
  write(cache, 2, 0, 40);
  CHECK_THROWS_AS(cache.reserve(std::size_t{1} << 50U), std::bad_alloc);
  CHECK(holds(cache, 2, 40));
  cache.reserve(200);
  CHECK(holds(cache, 2, 40));
  write(cache, 2, 40, 200);
  CHECK(holds(cache, 2, 200));
}
#endif
