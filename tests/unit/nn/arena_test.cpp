#include "nn/arena.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "unit/nn/nn_test_data.h"

using mla::Arena;
using mla::Matrix;

namespace {

/// Sizes small and large, some beyond what one block of the arena holds.
std::vector<std::pair<std::size_t, std::size_t>> some_sizes(nn_test::Random& random, std::size_t count) {
  std::vector<std::pair<std::size_t, std::size_t>> sizes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto scale = static_cast<std::size_t>(std::abs(random.value(8.0F)));
    sizes.emplace_back(1 + scale * 37, 1 + static_cast<std::size_t>(std::abs(random.value(700.0F))));
  }
  sizes.emplace_back(1000, 1000);
  sizes.emplace_back(1, 1);
  return sizes;
}

void expect_no_overlap(const std::vector<Matrix>& live) {
  std::vector<std::pair<const float*, const float*>> ranges;
  for (const Matrix& matrix : live)
    ranges.emplace_back(matrix.data, matrix.data + matrix.rows * matrix.stride);
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) CHECK(ranges[i - 1].second <= ranges[i].first);
}

}  // namespace

TEST_CASE("arena: matrices that live together never overlap") {
  nn_test::Random random(1);
  Arena arena;
  for (int pass = 0; pass < 3; ++pass) {
    const Arena::Scope outer(arena);
    std::vector<Matrix> live;
    for (const auto& [rows, cols] : some_sizes(random, 20)) {
      live.push_back(arena.matrix(rows, cols));
      CHECK(live.back().rows == rows);
      CHECK(live.back().cols == cols);
      CHECK(live.back().stride == cols);
    }
    {
      const Arena::Scope inner(arena);
      std::vector<Matrix> more = live;
      for (const auto& [rows, cols] : some_sizes(random, 10)) more.push_back(arena.matrix(rows, cols));
      expect_no_overlap(more);
    }
    for (const auto& [rows, cols] : some_sizes(random, 10)) live.push_back(arena.matrix(rows, cols));
    expect_no_overlap(live);
    for (std::size_t i = 0; i < live.size(); ++i)
      std::fill_n(live[i].data, live[i].rows * live[i].cols, static_cast<float>(i));
    for (std::size_t i = 0; i < live.size(); ++i)
      CHECK(std::all_of(live[i].data, live[i].data + live[i].rows * live[i].cols,
                        [&](float value) { return value == static_cast<float>(i); }));
  }
}

TEST_CASE("arena: what a scope took is given back when it ends") {
  Arena arena;
  const Matrix kept = arena.matrix(3, 5);
  const float* first = nullptr;
  {
    const Arena::Scope scope(arena);
    first = arena.matrix(7, 7).data;
    arena.matrix(600, 600);  // Takes a block of its own.
    arena.matrix(2, 2);
  }
  CHECK(first != kept.data);
  CHECK(arena.matrix(7, 7).data == first);
}

TEST_CASE("arena: a second pass like the first gets the same memory") {
  Arena arena;
  std::vector<std::set<const float*>> passes;
  for (int pass = 0; pass < 4; ++pass) {
    nn_test::Random random(2);
    std::set<const float*>& taken = passes.emplace_back();
    const Arena::Scope scope(arena);
    for (int layer = 0; layer < 5; ++layer) {
      const Arena::Scope inner(arena);
      for (const auto& [rows, cols] : some_sizes(random, 12)) taken.insert(arena.matrix(rows, cols).data);
    }
  }
  CHECK(passes[1] == passes[0]);
  CHECK(passes[3] == passes[0]);
}

TEST_CASE("arena: empty matrices take nothing") {
  Arena arena;
  const Matrix empty = arena.matrix(0, 51);
  CHECK(empty.rows == 0);
  CHECK(empty.cols == 51);
  const Matrix next = arena.matrix(1, 16);
  const Matrix behind = arena.matrix(4, 0);
  CHECK(behind.cols == 0);
  CHECK(arena.matrix(1, 16).data == next.data + 16);
}
