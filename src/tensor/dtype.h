// The element types mla computes with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace mla {

/// The plain types, and the block-quantized ones of GGUF (ggml's ggml-common.h, from which the blocks' layouts are).
enum class DType : std::uint8_t {
  f32,
  f16,
  bf16,
  f8_e4m3,
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs
};

/// How a type lies in memory: `block_bytes` bytes hold `block_elements` elements. A plain type is a block of
/// one element; a quantized type shares its scales within a block, and its rows are whole blocks.
struct DTypeTraits {
  DType dtype;
  std::string_view name;  ///< As in a safetensors header or as ggml has it.
  std::size_t block_elements;
  std::size_t block_bytes;
};

/// One row for each DType, in the order of the enum.
inline constexpr std::array kDTypeTraits = {
    DTypeTraits{DType::f32, "F32", 1, 4},         DTypeTraits{DType::f16, "F16", 1, 2},
    DTypeTraits{DType::bf16, "BF16", 1, 2},       DTypeTraits{DType::f8_e4m3, "F8_E4M3", 1, 1},
    DTypeTraits{DType::q8_0, "Q8_0", 32, 34},     DTypeTraits{DType::q4_0, "Q4_0", 32, 18},
    DTypeTraits{DType::q4_1, "Q4_1", 32, 20},     DTypeTraits{DType::q5_0, "Q5_0", 32, 22},
    DTypeTraits{DType::q5_1, "Q5_1", 32, 24},     DTypeTraits{DType::q2_k, "Q2_K", 256, 84},
    DTypeTraits{DType::q3_k, "Q3_K", 256, 110},   DTypeTraits{DType::q4_k, "Q4_K", 256, 144},
    DTypeTraits{DType::q5_k, "Q5_K", 256, 176},   DTypeTraits{DType::q6_k, "Q6_K", 256, 210},
    DTypeTraits{DType::iq4_nl, "IQ4_NL", 32, 18}, DTypeTraits{DType::iq4_xs, "IQ4_XS", 256, 136},
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
