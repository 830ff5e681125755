#include "tensor/dtype.h"

#include <catch2/catch.hpp>

#include <vector>

using namespace mla;

namespace {

constexpr std::size_t kHalf = std::size_t{1} << 63;  // Twice this does not fit.

std::optional<std::size_t> size_of(DType dtype, const std::vector<std::size_t>& shape) {
  return byte_size(dtype, shape);
}

}  // namespace

TEST_CASE("dtypes have the names of safetensors", "[tensor][dtype]") {
  REQUIRE(dtype_name(DType::f32) == "F32");
  REQUIRE(dtype_name(DType::f16) == "F16");
  REQUIRE(dtype_name(DType::bf16) == "BF16");
  REQUIRE(dtype_name(DType::f8_e4m3) == "F8_E4M3");
  for (const DTypeTraits& traits : kDTypeTraits) REQUIRE(find_dtype(traits.name) == traits.dtype);
  for (const char* name : {"", "f32", "F8_E5M2", "F64", "BF16 ", "I8"})
    REQUIRE_FALSE(find_dtype(name).has_value());
}

TEST_CASE("byte sizes", "[tensor][dtype]") {
  REQUIRE(size_of(DType::f32, {}) == 4);
  REQUIRE(size_of(DType::f32, {3, 5}) == 60);
  REQUIRE(size_of(DType::bf16, {7}) == 14);
  REQUIRE(size_of(DType::f16, {2, 0, 3}) == 0);
  REQUIRE(size_of(DType::f8_e4m3, {2, 3, 4}) == 24);
}

TEST_CASE("byte sizes that do not fit", "[tensor][dtype]") {
  REQUIRE_FALSE(size_of(DType::f8_e4m3, {kHalf, 2}).has_value());
  REQUIRE_FALSE(size_of(DType::f32, {std::size_t{1} << 62}).has_value());
  REQUIRE_FALSE(size_of(DType::bf16, {kHalf}).has_value());
  REQUIRE(size_of(DType::f8_e4m3, {kHalf}) == kHalf);
  // The order decides, as in the reference of safetensors: a later zero does not undo an overflow.
  REQUIRE_FALSE(size_of(DType::f32, {kHalf, 2, 0}).has_value());
  REQUIRE(size_of(DType::f32, {0, kHalf, 2}) == 0);
}
