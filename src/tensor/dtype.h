// The element types mla computes with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace mla {

enum class DType : std::uint8_t { f32, f16, bf16, f8_e4m3 };

/// How a type lies in memory: `block_bytes` bytes hold `block_elements` elements. A plain type is a block of
/// one element; a quantized type shares its scales within a block, and its rows are whole blocks.
struct DTypeTraits {
  DType dtype;
  std::string_view name;  ///< As in a safetensors header.
  std::size_t block_elements;
  std::size_t block_bytes;
};

/// One row for each DType, in the order of the enum.
inline constexpr std::array kDTypeTraits = {
    DTypeTraits{DType::f32, "F32", 1, 4},
    DTypeTraits{DType::f16, "F16", 1, 2},
    DTypeTraits{DType::bf16, "BF16", 1, 2},
    DTypeTraits{DType::f8_e4m3, "F8_E4M3", 1, 1},
};

constexpr const DTypeTraits& dtype_traits(DType dtype) {
  return kDTypeTraits[static_cast<std::size_t>(dtype)];
}

constexpr std::string_view dtype_name(DType dtype) {
  return dtype_traits(dtype).name;
}

/// The type of that name, or nothing.
std::optional<DType> find_dtype(std::string_view name);

/// a * b, or nothing if that does not fit.
constexpr std::optional<std::size_t> checked_multiply(std::size_t a, std::size_t b) {
  std::size_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// The product of the dimensions, taken from the first to the last, or nothing if a step does not fit. No
/// dimensions are one element.
std::optional<std::size_t> element_count(std::span<const std::size_t> shape);

/// The bytes of a dense row-major tensor, or nothing if they do not fit into a size_t or if a row is not a
/// whole number of blocks.
std::optional<std::size_t> byte_size(DType dtype, std::span<const std::size_t> shape);

}  // namespace mla
