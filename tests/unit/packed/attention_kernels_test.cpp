// What attention over bf16 needs besides products, on every instruction set.
#include "packed/attention_kernels.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/aligned_memory.h"
#include "tensor/scalar.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::Random;

namespace {

std::uint16_t bits_at(const std::byte* memory, std::size_t index) {
  std::uint16_t bits;
  std::memcpy(&bits, memory + 2 * index, 2);
  return bits;
}

/// Memory at a multiple of 64 bytes, all ones.
struct Dirty {
  AlignedMemory memory;
  explicit Dirty(std::size_t bytes) : memory(bytes) { std::memset(memory.get(), 0xff, bytes); }
  std::byte* get() const { return memory.get(); }
};

const float kSpecial[] = {0.0F,
                          -0.0F,
                          std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::max(),
                          std::numeric_limits<float>::denorm_min(),
                          1e-39F,
                          1.00390625F,  // Half way between two of bf16, to the even one below,
                          1.01171875F,  // and above.
                          -3.0F};

void check_packing(const AttentionKernels& kernels, std::size_t count, std::size_t cols, float scale) {
  Random random(static_cast<std::uint32_t>(cols));
  std::vector<std::vector<float>> values;
  std::vector<const float*> rows;
  for (std::size_t row = 0; row < count; ++row) values.push_back(random.values(cols));
  for (std::size_t i = 0; i < std::size(kSpecial); ++i) values[i % count][i % cols] = kSpecial[i];
  for (const std::vector<float>& row : values) rows.push_back(row.data());
  const std::size_t padded = (cols + 31) / 32 * 32;
  const Dirty panel(padded * kLanes * 2);
  kernels.pack_rows(rows.data(), count, cols, scale, panel.get());
  std::size_t wrong = 0;
  for (std::size_t row = 0; row < kLanes; ++row)
    for (std::size_t col = 0; col < padded; ++col) {
      const std::uint16_t expected = row < count && col < cols ? float_to_bf16(values[row][col] * scale) : 0;
      if (bits_at(panel.get(), (col / 2 * kLanes + row) * 2 + col % 2) != expected) ++wrong;
    }
  CHECK(wrong == 0);
}

void check_interleaving(const AttentionKernels& kernels, std::size_t keys, std::size_t cols) {
  Random random(static_cast<std::uint32_t>(keys * 7 + cols));
  const std::size_t stride = cols + 5;
  const std::size_t bf16_stride = (cols + 31) / 32 * 64;
  std::vector<float> values = random.values(keys * stride);
  for (std::size_t i = 0; i < std::size(kSpecial); ++i)
    values[i * 3 % keys * stride + i % cols] = kSpecial[i];
  std::vector<std::byte> rows(keys * bf16_stride);
  for (std::size_t key = 0; key < keys; ++key)
    for (std::size_t col = 0; col < cols; ++col) {
      const std::uint16_t bits = float_to_bf16(values[key * stride + col]);
      std::memcpy(rows.data() + key * bf16_stride + 2 * col, &bits, 2);
    }
  const std::size_t panels = (cols + 15) / 16;
  const std::size_t padded = (keys + 31) / 32 * 32;
  const std::size_t panel_bytes = padded * 32 + 64;
  const Dirty from_bf16(panels * panel_bytes), from_floats(panels * panel_bytes);
  kernels.interleave(rows.data(), bf16_stride, keys, cols, from_bf16.get(), panel_bytes,
                     {rows.data(), rows.data() + rows.size()});
  kernels.interleave_floats(values.data(), stride, keys, cols, from_floats.get(), panel_bytes);
  std::size_t wrong = 0;
  for (std::size_t panel = 0; panel < panels; ++panel)
    for (std::size_t key = 0; key < padded; ++key)
      for (std::size_t lane = 0; lane < 16; ++lane) {
        const std::size_t col = panel * 16 + lane;
        const std::uint16_t expected =
            key < keys && col < cols ? float_to_bf16(values[key * stride + col]) : 0;
        for (const Dirty* found : {&from_bf16, &from_floats})
          if (bits_at(found->get() + panel * panel_bytes, (key / 2 * 16 + lane) * 2 + key % 2) != expected)
            ++wrong;
      }
  CHECK(wrong == 0);
}

/// Adds `count` rows as columns to [cols][stride].
void check_adding_columns(const AttentionKernels& kernels, std::size_t count, std::size_t cols) {
  Random random(static_cast<std::uint32_t>(count * 300 + cols));
  const std::size_t stride = 48;
  const float factor = 1.4426950408889634F;
  std::vector<std::vector<float>> values;
  std::vector<const float*> rows;
  for (std::size_t row = 0; row < count; ++row) values.push_back(random.values(cols, 50.0F));
  for (std::size_t i = 0; i < std::size(kSpecial); ++i) values[i % count][i % cols] = kSpecial[i];
  for (const std::vector<float>& row : values) rows.push_back(row.data());
  const std::vector<float> before = random.values(cols * stride, 50.0F);
  std::vector<float> found = before;
  kernels.add_columns(rows.data(), count, cols, factor, found.data() + 16, stride);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t col = i / stride;
    const std::size_t lane = i % stride - 16;
    const float expected = lane < count ? std::fma(factor, values[lane][col], before[i]) : before[i];
    if (!(found[i] == expected || (std::isnan(found[i]) && std::isnan(expected)))) ++wrong;
  }
  CHECK(wrong == 0);
}

struct Ranges {
  std::array<float, kLanes> begin{};
  std::array<float, kLanes> end{};
};

struct Softmaxed {
  std::array<float, kLanes> largest{};
  std::array<float, kLanes> sum{};
  std::vector<std::uint16_t> probabilities;  ///< [lane][keys]
};

Softmaxed run_softmax(const AttentionKernels& kernels, const std::vector<float>& scores, std::size_t stride,
                      std::size_t keys, const Ranges& ranges) {
  const std::size_t padded = (keys + 31) / 32 * 32;
  const std::size_t row_bytes = padded * 2 + 64;
  const Dirty probabilities(kLanes * row_bytes);
  Softmaxed result;
  kernels.softmax({.scores = scores.data(),
                   .stride = stride,
                   .keys = keys,
                   .begin = ranges.begin.data(),
                   .end = ranges.end.data(),
                   .probabilities = probabilities.get(),
                   .probability_stride = row_bytes,
                   .largest = result.largest.data(),
                   .sum = result.sum.data()});
  for (std::size_t lane = 0; lane < kLanes; ++lane)
    for (std::size_t key = 0; key < padded; ++key)
      result.probabilities.push_back(bits_at(probabilities.get() + lane * row_bytes, key));
  return result;
}

// Half a unit of 8 bits for the rounding, and the polynomial's own error.
constexpr double kProbabilityError = 0x1p-8 + 9e-5;

void check_softmax(const AttentionKernels& kernels, std::size_t keys, const Ranges& ranges) {
  Random random(static_cast<std::uint32_t>(keys));
  const std::size_t stride = 48;
  const std::size_t padded = (keys + 31) / 32 * 32;
  const std::vector<float> scores = random.values(keys * stride, 60.0F);
  const Softmaxed found = run_softmax(kernels, scores, stride, keys, ranges);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    CAPTURE(lane);
    double largest = static_cast<double>(kNothingSeen);
    double sum = 0.0;
    bool hidden_are_zero = true;
    double worst = 0.0;
    const auto seen = [&](std::size_t key) {
      return static_cast<float>(key) >= ranges.begin[lane] && static_cast<float>(key) < ranges.end[lane];
    };
    const auto score = [&](std::size_t key) { return static_cast<double>(scores[key * stride + lane]); };
    for (std::size_t key = 0; key < keys; ++key)
      if (seen(key)) largest = std::max(largest, score(key));
    for (std::size_t key = 0; key < padded; ++key) {
      const std::uint16_t bits = found.probabilities[lane * padded + key];
      if (!seen(key)) {
        hidden_are_zero = hidden_are_zero && bits == 0;
        continue;
      }
      const double exact = std::exp2(score(key) - largest);
      const double p = static_cast<double>(bf16_to_float(bits));
      worst = std::max(worst, std::abs(p - exact) / (exact + 0x1p-100));
      sum += p;
    }
    CHECK(hidden_are_zero);
    CHECK(worst <= kProbabilityError);
    CHECK(static_cast<double>(found.largest[lane]) == largest);
    CHECK(std::abs(static_cast<double>(found.sum[lane]) - sum) <= 1e-6 * sum);
  }
}

}  // namespace

TEST_CASE("attention kernels: queries become panels, rounded to nearest") {
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    for (const std::size_t count : {1U, 3U, 15U, 16U})
      for (const std::size_t cols : {1U, 2U, 15U, 31U, 32U, 33U, 64U, 72U, 576U})
        check_packing(attention_kernels(isa), count, cols, count == 3 ? 1.0F : 0.3F);
  }
}

TEST_CASE("attention kernels: values become panels of pairs of keys") {
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    for (const std::size_t keys : {1U, 2U, 31U, 32U, 33U, 64U, 255U, 256U})
      for (const std::size_t cols : {1U, 7U, 16U, 17U, 32U, 64U, 130U})
        check_interleaving(attention_kernels(isa), keys, cols);
  }
}

TEST_CASE("attention kernels: rows are added as columns, to the bit of a fused step") {
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    for (const std::size_t count : {1U, 3U, 15U, 16U})
      for (const std::size_t cols : {1U, 2U, 15U, 16U, 17U, 64U, 255U, 256U})
        check_adding_columns(attention_kernels(isa), count, cols);
  }
}

TEST_CASE("attention kernels: softmax over the keys that each lane sees") {
  for (const Isa isa : available_isas())
    for (const std::size_t keys : {1U, 2U, 3U, 31U, 32U, 33U, 64U, 100U, 255U, 256U}) {
      CAPTURE(name_of(isa), keys);
      Ranges all, causal, window;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        all.end[lane] = static_cast<float>(keys);
        causal.end[lane] = static_cast<float>(std::min(keys, lane * keys / 15));
        window.begin[lane] = static_cast<float>(std::min(keys, lane * 5));
        window.end[lane] = static_cast<float>(std::min(keys, lane * 5 + 40));
      }
      for (const Ranges& ranges : {all, causal, window}) check_softmax(attention_kernels(isa), keys, ranges);
    }
}

TEST_CASE("attention kernels: keys that nobody sees change no bit, whatever their scores") {
  Random random(4);
  const std::vector<float> few = random.values(40 * kLanes, 9.0F);
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    Ranges ranges;
    for (std::size_t lane = 0; lane < kLanes; ++lane) ranges.end[lane] = static_cast<float>(25 + lane);
    const Softmaxed expected = run_softmax(attention_kernels(isa), few, kLanes, 40, ranges);
    std::vector<float> many = few;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      for (std::size_t key = 25 + lane; key < 40; ++key)
        many[key * kLanes + lane] = kSpecial[(key + lane) % std::size(kSpecial)];
    while (many.size() < 256 * kLanes) many.push_back(kSpecial[many.size() % std::size(kSpecial)]);
    const Softmaxed found = run_softmax(attention_kernels(isa), many, kLanes, 256, ranges);
    CHECK(found.largest == expected.largest);
    CHECK(found.sum == expected.sum);
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      for (std::size_t key = 0; key < 256; ++key)
        if (found.probabilities[lane * 256 + key] != (key < 64 ? expected.probabilities[lane * 64 + key] : 0))
          FAIL("lane " << lane << " key " << key);
  }
}

TEST_CASE("attention kernels: a score that is not a number reaches its lane's result and no other") {
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    Ranges ranges;
    ranges.end.fill(50.0F);
    std::vector<float> scores(50 * kLanes, 1.0F);
    scores[20 * kLanes + 3] = std::numeric_limits<float>::quiet_NaN();
    scores[20 * kLanes + 9] = std::numeric_limits<float>::infinity();
    const Softmaxed found = run_softmax(attention_kernels(isa), scores, kLanes, 50, ranges);
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      CHECK(std::isnan(found.sum[lane]) == (lane == 3 || lane == 9));
  }
}

TEST_CASE("attention kernels: merging blocks gives the softmax of all their keys") {
  Random random(6);
  for (const Isa isa : available_isas()) {
    CAPTURE(name_of(isa));
    const AttentionKernels& kernels = attention_kernels(isa);
    for (const std::size_t cols : {1U, 16U, 37U, 64U}) {
      const std::size_t stride = 80;
      std::array<float, kLanes> largest, sum{};
      largest.fill(kNothingSeen);
      std::vector<float> out(kLanes * cols + 1, 0.0F);
      out.back() = -7.0F;
      std::array<float*, kLanes> rows{};
      for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = out.data() + lane * cols;
      std::vector<double> exact(kLanes * cols, 0.0);
      std::array<double, kLanes> exact_sum{};
      for (std::size_t block = 0; block < 5; ++block) {
        const std::vector<float> block_out = random.values(kLanes * stride);
        std::array<float, kLanes> block_largest{}, block_sum{};
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          block_largest[lane] = block == lane % 5 ? kNothingSeen : random.value(30.0F);
          block_sum[lane] = block == lane % 5 ? 0.0F : 2.0F + random.value();
          const double weight = std::exp2(static_cast<double>(block_largest[lane]));
          exact_sum[lane] += weight * static_cast<double>(block_sum[lane]);
          for (std::size_t col = 0; col < cols; ++col)
            exact[lane * cols + col] += weight * static_cast<double>(block_out[lane * stride + col]);
        }
        MergeFactors factors;
        kernels.merge_sums(largest.data(), sum.data(), block_largest.data(), block_sum.data(), factors);
        kernels.merge_rows(rows.data(), 14, cols, block_out.data(), stride, factors);
      }
      for (std::size_t lane = 0; lane < 14; ++lane) {
        const double scale = std::exp2(static_cast<double>(largest[lane]));
        CHECK(static_cast<double>(sum[lane]) == Approx(exact_sum[lane] / scale).epsilon(2e-6));
        kernels.scale(rows[lane], cols, 1.0F / sum[lane]);
        for (std::size_t col = 0; col < cols; ++col)
          CHECK(std::abs(static_cast<double>(rows[lane][col]) - exact[lane * cols + col] / exact_sum[lane]) <
                4e-6);
      }
      for (std::size_t i = 14 * cols; i < 16 * cols; ++i) CHECK(out[i] == 0.0F);
      CHECK(out.back() == -7.0F);
    }
  }
}
