// Quantized blocks against what the `gguf` package makes of them (tools/golden/quantized_blocks.py), bit for bit.
#include "tensor/decode_block.h"

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/npy.h"
#include "kernels/kernels.h"
#include "quantized_weights.h"
#include "tensor/decode.h"

using namespace mla;

namespace {

struct Golden {
  std::string bytes;
  NpyArray expected;

  const std::byte* data() const { return reinterpret_cast<const std::byte*>(bytes.data()); }
};

Golden golden(const DTypeTraits& traits) {
  const auto folder = std::filesystem::path(MLA_TEST_DATA_DIR) / "golden" / "blocks";
  const std::string name(traits.name);
  return {read_file(folder / (name + ".bin"), 1'000'000), read_npy(folder / (name + ".npy"))};
}

/// How many of the values differ in a bit.
int differences(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  int count = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    count += std::bit_cast<std::uint32_t>(found[i]) != std::bit_cast<std::uint32_t>(expected[i]) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("quantized blocks decode to the bits of the gguf package") {
  int types = 0;
  for (const DTypeTraits& traits : kDTypeTraits) {
    if (!is_quantized(traits.dtype)) continue;
    ++types;
    const Golden reference = golden(traits);
    const std::size_t n = reference.expected.values.size();
    INFO(traits.name);
    REQUIRE(n / traits.block_elements * traits.block_bytes == reference.bytes.size());
    const TensorView view{traits.dtype, Shape{n}, reference.data()};
    CHECK(differences(decode(view), reference.expected.values) == 0);
    for (const Kernels* kernels : available_kernels()) {
      INFO(kernels->name);
      std::vector<float> decoded(n + 1, 5.0F);
      kernels->decode[static_cast<std::size_t>(traits.dtype)](reference.data(), decoded.data(), n);
      CHECK(decoded.back() == 5.0F);
      decoded.pop_back();
      CHECK(differences(decoded, reference.expected.values) == 0);
    }
  }
  CHECK(types == 12);
}

TEST_CASE("any stretch of a quantized row decodes as in the whole row") {
  for (const DTypeTraits& traits : kDTypeTraits) {
    if (!is_quantized(traits.dtype)) continue;
    const Golden reference = golden(traits);
    const std::size_t cols = 2 * traits.block_elements;  // A matrix: rows are found by their blocks.
    const TensorView view{traits.dtype, Shape{reference.expected.values.size() / cols, cols},
                          reference.data()};
    const std::vector<float>& all = reference.expected.values;
    INFO(traits.name);
    for (const std::size_t first :
         {std::size_t{0}, std::size_t{1}, traits.block_elements - 1, traits.block_elements})
      for (const std::size_t count :
           {std::size_t{0}, std::size_t{1}, std::size_t{2}, traits.block_elements}) {
        std::vector<float> part(count);
        decode_row(view, 2, first, part);
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(2 * cols + first);
        CHECK(differences(part, {begin, begin + static_cast<std::ptrdiff_t>(count)}) == 0);
        CHECK(decode_element(view, 2, first) == *begin);
      }
  }
}

TEST_CASE("every float16 is its value as the scale of a block") {
  constexpr std::size_t kPatterns = 65536;
  constexpr std::size_t kBytes = 34;
  std::vector<std::byte> blocks(kPatterns * kBytes, std::byte{1});  // Q8_0: 1 times the scale.
  for (std::size_t i = 0; i < kPatterns; ++i) std::memcpy(blocks.data() + i * kBytes, &i, 2);
  for (const Kernels* kernels : available_kernels()) {
    std::vector<float> values(kPatterns * 32);
    kernels->decode[static_cast<std::size_t>(DType::q8_0)](blocks.data(), values.data(), values.size());
    int wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float expected = f16_to_float(static_cast<std::uint16_t>(i / 32));
      const bool right = std::isnan(expected) ? std::isnan(values[i])
                                              : std::bit_cast<std::uint32_t>(values[i]) ==
                                                    std::bit_cast<std::uint32_t>(expected);
      wrong += right ? 0 : 1;
    }
    INFO(kernels->name);
    CHECK(wrong == 0);
  }
}
