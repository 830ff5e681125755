// Sums of small integers are exact in float32 in any order: every kernel must give them to the last bit.
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstring>
#include <vector>

#include "kernels/kernels.h"
#include "quantized_weights.h"
#include "tensor/scalar.h"

using namespace mla;

namespace {

float small(std::size_t i) {
  return static_cast<float>((i * 7 + 3) % 17) - 8.0F;  // Exact in every dtype.
}

/// small(0..n-1) as stored, at an odd address.
std::vector<std::byte> stored(DType dtype, std::size_t n) {
  const std::size_t each = dtype_traits(dtype).block_bytes;
  std::vector<std::byte> bytes(1 + n * each);
  for (std::size_t i = 0; i < n; ++i) {
    const float value = small(i);
    const std::uint16_t f16 = float_to_f16(value);
    const std::uint16_t bf16 = float_to_bf16(value);
    const std::uint8_t f8 = float_to_e4m3(value);
    const void* from = &value;
    if (dtype == DType::f16) from = &f16;
    if (dtype == DType::bf16) from = &bf16;
    if (dtype == DType::f8_e4m3) from = &f8;
    std::memcpy(bytes.data() + 1 + i * each, from, each);
  }
  return bytes;
}

}  // namespace

TEST_CASE("dot, axpy and decode are exact on small integers of every plain dtype and length") {
  for (const Kernels* kernels : available_kernels())
    for (const DTypeTraits& traits : kDTypeTraits)
      for (std::size_t n = 0; n <= 1025 && !is_quantized(traits.dtype); n += n < 150 ? 1 : 125) {
        const std::size_t type = static_cast<std::size_t>(traits.dtype);
        const std::vector<std::byte> w = stored(traits.dtype, n);
        std::vector<float> x(n);
        std::vector<float> y(n + 1, 5.0F);
        std::vector<float> decoded(n + 1, 5.0F);
        float sum = 0.0F;
        for (std::size_t i = 0; i < n; ++i) sum += small(i) * (x[i] = small(i * i + 1));
        kernels->axpy[type](3.0F, w.data() + 1, y.data(), n);
        kernels->decode[type](w.data() + 1, decoded.data(), n);
        bool right = kernels->dot[type](w.data() + 1, x.data(), n) == sum;
        for (std::size_t i = 0; i < n; ++i)
          right = right && decoded[i] == small(i) && y[i] == 5.0F + 3.0F * small(i);
        INFO(kernels->name << ", " << traits.name << ", n = " << n);
        CHECK((right && y[n] == 5.0F && decoded[n] == 5.0F));  // Nothing behind the end is touched.
      }
}

TEST_CASE("dot, axpy and decode are exact on quantized blocks of integers") {
  for (const Kernels* kernels : available_kernels())
    for (const DTypeTraits& traits : kDTypeTraits)
      for (std::size_t n = 0; n <= 1024 && is_quantized(traits.dtype); n += traits.block_elements) {
        const std::size_t type = static_cast<std::size_t>(traits.dtype);
        // Scales of one: no value is larger than 128 * 127, the sum of 1024 of them times two fits 24 bits.
        const QuantizedWeights w =
            quantized_weights(traits.dtype, n, static_cast<unsigned>(n), [] { return 1.0F; });
        std::vector<float> x(n);
        std::vector<float> y(n + 1, 5.0F);
        std::vector<float> decoded(n + 1, 5.0F);
        float sum = 0.0F;
        for (std::size_t i = 0; i < n; ++i)
          sum += w.values[i] * (x[i] = static_cast<float>(i * i % 5) - 2.0F);
        kernels->axpy[type](3.0F, w.data(), y.data(), n);
        kernels->decode[type](w.data(), decoded.data(), n);
        bool right = kernels->dot[type](w.data(), x.data(), n) == sum;
        for (std::size_t i = 0; i < n; ++i)
          right = right && decoded[i] == w.values[i] && y[i] == 5.0F + 3.0F * w.values[i];
        INFO(kernels->name << ", " << traits.name << ", n = " << n);
        CHECK((right && y[n] == 5.0F && decoded[n] == 5.0F));  // Nothing behind the end is touched.
      }
}
