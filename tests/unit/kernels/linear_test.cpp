// dot, sum_of_squares, axpy and scale_multiply on real numbers, against double arithmetic.
#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "quantized_weights.h"
#include "rounding.h"
#include "tensor/scalar.h"

using namespace mla;

namespace {

/// Weights as a model file has them, at an odd address, and the values that are then really there.
struct Weights {
  std::vector<std::byte> bytes;
  std::vector<float> values;

  const std::byte* data() const { return bytes.data() + 1; }
};

Weights stored(DType dtype, const std::vector<float>& wanted) {
  const std::size_t each = dtype_traits(dtype).block_bytes;
  Weights weights{std::vector<std::byte>(1 + wanted.size() * each), wanted};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::uint16_t f16 = float_to_f16(wanted[i]);
    const std::uint16_t bf16 = float_to_bf16(wanted[i]);
    const std::uint8_t f8 = float_to_e4m3(wanted[i]);
    const void* from = &wanted[i];
    if (dtype == DType::f16) from = &f16;
    if (dtype == DType::bf16) from = &bf16;
    if (dtype == DType::f8_e4m3) from = &f8;
    if (dtype == DType::f16) weights.values[i] = f16_to_float(f16);
    if (dtype == DType::bf16) weights.values[i] = bf16_to_float(bf16);
    if (dtype == DType::f8_e4m3) weights.values[i] = e4m3_to_float(f8);
    std::memcpy(weights.bytes.data() + 1 + i * each, from, each);
  }
  return weights;
}

/// `n` weights of any type, random.
Weights random_weights(DType dtype, std::size_t n, unsigned seed) {
  if (!is_quantized(dtype)) return stored(dtype, random_floats(n, seed, -3.0, 3.0));
  std::mt19937 source(seed);
  QuantizedWeights weights = quantized_weights(
      dtype, n, seed, [&] { return static_cast<float>(static_cast<double>(source()) * 0x1p-32 - 0.4); });
  return {std::move(weights.bytes), std::move(weights.values)};
}

/// Every length around the widths of vectors and of unrolled loops, then a few long ones; whole blocks of `dtype`.
std::size_t next_length(std::size_t n, DType dtype = DType::f32) {
  if (is_quantized(dtype)) return n + dtype_traits(dtype).block_elements;
  return n < 150 ? n + 1 : n + 289;
}

}  // namespace

TEST_CASE("dot stays within the error bound of a float32 sum") {
  for (const Kernels* kernels : available_kernels())
    for (const DTypeTraits& traits : kDTypeTraits)
      for (std::size_t n = 0; n < 2500; n = next_length(n, traits.dtype)) {
        const unsigned seed = static_cast<unsigned>(n);
        const Weights w = random_weights(traits.dtype, n, seed);
        const std::vector<float> x = random_floats(n, seed + 1);
        double sum = 0.0;
        double magnitude = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
          const double product = static_cast<double>(w.values[i]) * static_cast<double>(x[i]);
          sum += product;
          magnitude += std::abs(product);
        }
        const auto dot = kernels->dot[static_cast<std::size_t>(traits.dtype)];
        const double found = static_cast<double>(dot(w.data(), x.data(), n));
        INFO(kernels->name << ", " << traits.name << ", n = " << n);
        CHECK(excess(found, sum, sum_error(n) * magnitude) <= 1.0);
        if (traits.dtype == DType::f32)
          CHECK(kernels->dot_f32(w.values.data(), x.data(), n) == static_cast<float>(found));
      }
}

TEST_CASE("dot passes NaN and infinity on from every place") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const Kernels* kernels : available_kernels())
    for (const std::size_t n : {std::size_t{1}, std::size_t{17}, std::size_t{83}})
      for (std::size_t i = 0; i < n; ++i) {
        const std::vector<float> ones(n, 1.0F);
        std::vector<float> x(n, 1.0F);
        x[i] = nan;
        INFO(kernels->name << ", n = " << n << ", i = " << i);
        CHECK(std::isnan(kernels->dot_f32(ones.data(), x.data(), n)));
        CHECK(std::isnan(kernels->dot_f32(x.data(), ones.data(), n)));
        CHECK(std::isnan(kernels->sum_of_squares(x.data(), n)));
        x[i] = -infinity;
        CHECK(kernels->dot_f32(ones.data(), x.data(), n) == -infinity);
        CHECK(kernels->sum_of_squares(x.data(), n) == infinity);
      }
}

TEST_CASE("sum_of_squares stays within the error bound of a float32 sum") {
  for (const Kernels* kernels : available_kernels())
    for (std::size_t n = 0; n < 5200; n = next_length(n)) {
      const std::vector<float> x = random_floats(n, static_cast<unsigned>(n), -40.0, 40.0);
      double sum = 0.0;
      for (const float value : x) sum += static_cast<double>(value) * static_cast<double>(value);
      INFO(kernels->name << ", n = " << n);
      CHECK(excess(static_cast<double>(kernels->sum_of_squares(x.data(), n)), sum, sum_error(n) * sum) <=
            1.0);
    }
}

TEST_CASE("axpy rounds each element at most twice") {
  for (const Kernels* kernels : available_kernels())
    for (const DTypeTraits& traits : kDTypeTraits)
      for (std::size_t n = 0; n < 600; n = next_length(n, traits.dtype)) {
        const unsigned seed = static_cast<unsigned>(n);
        const Weights w = random_weights(traits.dtype, n, seed);
        const std::vector<float> before = random_floats(n, seed + 1);
        const float a = -0.7F;
        std::vector<float> y = before;
        y.push_back(5.0F);
        kernels->axpy[static_cast<std::size_t>(traits.dtype)](a, w.data(), y.data(), n);
        double worst = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
          const double product = static_cast<double>(a) * static_cast<double>(w.values[i]);
          const double start = static_cast<double>(before[i]);
          // fl(fl(a w) + y): the product is rounded once or, fused, not at all, the sum once.
          const double bound = sum_error(2) * (std::abs(product) + std::abs(start));
          worst = std::max(worst, excess(static_cast<double>(y[i]), start + product, bound));
        }
        INFO(kernels->name << ", " << traits.name << ", n = " << n);
        CHECK(worst <= 1.0);
        CHECK(y[n] == 5.0F);
      }
}

TEST_CASE("scale_multiply is x times s, rounded, times w, rounded, in place too") {
  for (const Kernels* kernels : available_kernels())
    for (std::size_t n = 0; n < 450; n = next_length(n)) {
      const unsigned seed = static_cast<unsigned>(n);
      const std::vector<float> x = random_floats(n, seed, -9.0, 9.0);
      const std::vector<float> w = random_floats(n, seed + 1);
      const float s = 0.3137F;
      std::vector<float> y(n + 1, 5.0F);
      std::vector<float> in_place = x;
      in_place.push_back(5.0F);
      kernels->scale_multiply(x.data(), s, w.data(), y.data(), n);
      kernels->scale_multiply(in_place.data(), s, w.data(), in_place.data(), n);
      bool right = true;
      for (std::size_t i = 0; i < n; ++i) {
        const float scaled = x[i] * s;
        right = right && y[i] == scaled * w[i];  // Multiplications alone: every processor agrees.
      }
      INFO(kernels->name << ", n = " << n);
      CHECK(right);
      CHECK(y == in_place);
      CHECK(y[n] == 5.0F);
    }
}

TEST_CASE("Decoding gives every bit pattern its value") {
  for (const Kernels* kernels : available_kernels())
    for (const DType dtype : {DType::f16, DType::bf16, DType::f8_e4m3}) {
      const std::size_t each = dtype_traits(dtype).block_bytes;
      const std::size_t patterns = std::size_t{1} << (8 * each);
      // Each pattern both in a whole vector and, decoded alone, in the rest after the last one.
      std::vector<std::byte> bytes(patterns * each);
      for (std::size_t i = 0; i < patterns; ++i)
        std::memcpy(bytes.data() + i * each, &i, each);  // Little-endian.
      const auto decode = kernels->decode[static_cast<std::size_t>(dtype)];
      std::vector<float> together(patterns);
      std::vector<float> alone(patterns);
      decode(bytes.data(), together.data(), patterns);
      for (std::size_t i = 0; i < patterns; ++i) decode(bytes.data() + i * each, alone.data() + i, 1);

      int nans = 0;
      int wrong = 0;
      for (std::size_t i = 0; i < patterns; ++i) {
        float expected = e4m3_to_float(static_cast<std::uint8_t>(i & 0xffU));
        if (dtype == DType::f16) expected = f16_to_float(static_cast<std::uint16_t>(i));
        if (dtype == DType::bf16) expected = bf16_to_float(static_cast<std::uint16_t>(i));
        for (const float found : {together[i], alone[i]})
          if (std::isnan(expected))  // Processors make a signalling NaN quiet: its bits may differ.
            wrong += std::isnan(found) ? 0 : 1;
          else
            wrong += std::bit_cast<std::uint32_t>(found) == std::bit_cast<std::uint32_t>(expected) ? 0 : 1;
        nans += std::isnan(together[i]) ? 1 : 0;
      }
      INFO(kernels->name << ", " << dtype_name(dtype));
      CHECK(wrong == 0);
      // All ones in the exponent and a mantissa: 2 * (2^10 - 1), 2 * (2^7 - 1), and 0x7f and 0xff.
      CHECK(nans == (dtype == DType::f16 ? 2046 : dtype == DType::bf16 ? 254 : 2));
    }
}
