#include "tensor/decode.h"

#include <algorithm>
#include <array>
#include <string>

#include "mla/error.h"
#include "tensor/decode_block.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

void check_range(const TensorView& tensor, std::size_t row, std::size_t first_col, std::size_t count) {
  if (row < tensor.rows() && first_col <= tensor.cols() && count <= tensor.cols() - first_col) return;
  throw Error(ErrorCode::argument, "found row " + std::to_string(row) + ", " + std::to_string(count) +
                                       " columns from " + std::to_string(first_col) +
                                       ", expected them within " + to_string(tensor.shape));
}

/// A row of a quantized type, each block decoded once.
void decode_quantized_row(const TensorView& tensor, std::size_t row, std::size_t first_col,
                          std::span<float> out) {
  const DTypeTraits& traits = dtype_traits(tensor.dtype);
  std::array<float, kMostBlockElements> block;
  while (!out.empty()) {
    const std::size_t index = first_col / traits.block_elements;
    const std::size_t within = first_col % traits.block_elements;
    const std::size_t count = std::min(traits.block_elements - within, out.size());
    decode_block(tensor.dtype, tensor.row(row) + index * traits.block_bytes, block.data());
    std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(within), count, out.begin());
    first_col += count;
    out = out.subspan(count);
  }
}

}  // namespace

float decode_element(const TensorView& tensor, std::size_t row, std::size_t col) {
  const std::byte* const from = tensor.row(row);
  switch (tensor.dtype) {
    case DType::f32:
      return load_unaligned<float>(from + col * 4);
    case DType::f16:
      return f16_to_float(load_unaligned<std::uint16_t>(from + col * 2));
    case DType::bf16:
      return bf16_to_float(load_unaligned<std::uint16_t>(from + col * 2));
    case DType::f8_e4m3:
      return e4m3_to_float(load_unaligned<std::uint8_t>(from + col));
    default:
      break;
  }
  float value = 0.0F;
  decode_quantized_row(tensor, row, col, {&value, 1});
  return value;
}

void decode_row(const WeightView& weight, std::size_t row, std::size_t first_col, std::span<float> out) {
  decode_row(weight.data, row, first_col, out);
  if (!weight.scale) return;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] *= weight.scale->at(row, first_col + i);
}

void decode_row(const TensorView& tensor, std::size_t row, std::size_t first_col, std::span<float> out) {
  check_range(tensor, row, first_col, out.size());
  if (dtype_traits(tensor.dtype).block_elements > 1) return decode_quantized_row(tensor, row, first_col, out);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = decode_element(tensor, row, first_col + i);
}

std::vector<float> decode(const TensorView& tensor) {
  return decode(WeightView{tensor, std::nullopt});
}

std::vector<float> decode(const WeightView& weight) {
  std::vector<float> all(weight.data.elements());
  for (std::size_t row = 0; row < weight.rows() && weight.cols() > 0; ++row)
    decode_row(weight, row, 0, std::span(all).subspan(row * weight.cols(), weight.cols()));
  return all;
}

}  // namespace mla
