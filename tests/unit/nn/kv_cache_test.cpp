#include "nn/kv_cache.h"

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

using mla::Bf16Stream;
using mla::CacheElement;
using mla::CacheWidths;
using mla::KvCache;
using mla::LayerCache;
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

TEST_CASE("cache: rows of bf16 lie by blocks and heads, and growing keeps them") {
  const CacheWidths widths{.first = 40, .second = 7, .element = CacheElement::bf16, .heads = 3};
  KvCache cache({widths, {5, 2}}, 2000);
  CHECK(cache.bytes_per_token() == 3 * (128 + 64) + 4 * 7);
  const auto mark_of = [](std::size_t stream, std::size_t head, std::size_t token) {
    return static_cast<std::uint16_t>((token * 3 + head) * 2 + stream);
  };
  std::size_t wrong = 0;
  const auto each = [&](std::size_t from, std::size_t to, auto body) {
    const LayerCache layer = cache.layer(0, to);
    CHECK(layer.first_bf16.tokens == to);
    for (std::size_t token = from; token < to; ++token)
      for (std::size_t head = 0; head < 3; ++head) {
        body(layer.first_bf16.row(head, token), mark_of(0, head, token));
        body(layer.second_bf16.row(head, token), mark_of(1, head, token));
      }
  };
  std::size_t written = 0;
  for (const std::size_t tokens : {1U, 2U, 255U, 256U, 257U, 700U, 1999U, 2000U}) {
    cache.reserve(tokens);
    const auto check = [&](const std::byte* row, std::uint16_t mark) {
      if (std::memcmp(row, &mark, sizeof mark) != 0) ++wrong;
    };
    each(0, written, check);
    each(written, tokens, [](std::byte* row, std::uint16_t mark) { std::memcpy(row, &mark, sizeof mark); });
    written = tokens;
    each(0, written, check);
  }
  CHECK(wrong == 0);
  const Bf16Stream keys = cache.layer(0, 2000).first_bf16;
  CHECK(keys.cols == 40);
  CHECK(keys.stride == 128);
  CHECK(keys.row(0, 1) - keys.row(0, 0) == 128);
  CHECK(keys.row(1, 0) - keys.row(0, 0) == 128 * 256);
  CHECK(cache.layer(0, 2000).second_bf16.row(0, 0) - keys.row(0, 0) == 3 * 128 * 256);
  CHECK(keys.row(0, 256) - keys.row(0, 0) == 3 * (128 + 64) * 256);
  CHECK(reinterpret_cast<std::uintptr_t>(keys.data) % 64 == 0);
  const mla::ActivationView rows = keys.rows(2, 260, 9, 33);
  CHECK(rows.values == keys.row(2, 260));
  CHECK(rows.rows == 9);
  CHECK(rows.cols == 33);
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

TEST_CASE("cache: a third stream is of float32 beside others of bf16") {
  KvCache cache({{.first = 40, .second = 0, .third = 5, .element = CacheElement::bf16}}, 700);
  CHECK(cache.bytes_per_token() == 128 + 4 * 5);
  std::size_t written = 0;
  for (const std::size_t tokens : {1U, 65U, 300U, 700U}) {
    cache.reserve(tokens);
    const LayerCache layer = cache.layer(0, tokens);
    CHECK(layer.third.rows == tokens);
    CHECK(layer.third.cols == 5);
    std::size_t wrong = 0;
    for (std::size_t row = 0; row < tokens; ++row) {
      const auto bits = static_cast<std::uint16_t>(row + 1);
      const float value = mark(0, 2, row, 4);
      if (row < written) {
        wrong += std::memcmp(layer.first_bf16.row(0, row), &bits, sizeof bits) != 0;
        wrong += layer.third.row(row)[4] != value;
      }
      std::memcpy(layer.first_bf16.row(0, row), &bits, sizeof bits);
      layer.third.row(row)[4] = value;
    }
    CHECK(wrong == 0);
    written = tokens;
  }
}
