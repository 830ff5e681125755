#include "tensor/view.h"

#include "mla/error.h"
#include "tensor/decode.h"

namespace mla {
namespace {

constexpr std::size_t ceil_divide(std::size_t a, std::size_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (const std::size_t dimension : shape.dimensions()) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

float BlockScale::at(std::size_t row, std::size_t col) const {
  return decode_element(scale, (first_row + row) / rows_per_block, col / cols_per_block);
}

std::vector<float> WeightView::block_factors(std::size_t first, std::size_t count) const {
  std::vector<float> factors;
  if (!scale) return factors;
  for (std::size_t row = first; row < first + count; ++row)
    for (std::size_t col = 0; col < cols(); col += scale->cols_per_block)
      factors.push_back(scale->at(row, col));
  return factors;
}

WeightView block_scaled(const TensorView& data, const TensorView& scale, std::size_t rows_per_block,
                        std::size_t cols_per_block, const std::string& file, const std::string& name) {
  if (rows_per_block == 0 || cols_per_block == 0)
    throw Error(ErrorCode::argument, file, name, "found a scale block without elements");
  if (scale.dtype != DType::f32 && scale.dtype != DType::bf16 && scale.dtype != DType::f16)
    throw Error(ErrorCode::unsupported, file, name,
                "found dtype " + std::string(dtype_name(scale.dtype)) + ", expected F32, BF16 or F16");
  const Shape expected{ceil_divide(data.rows(), rows_per_block), ceil_divide(data.cols(), cols_per_block)};
  if (data.shape.rank() != 2 || scale.shape != expected)
    throw Error(ErrorCode::mismatch, file, name,
                "found shape " + to_string(scale.shape) + ", expected " + to_string(expected) +
                    " (one scale for each block of " + std::to_string(rows_per_block) + " x " +
                    std::to_string(cols_per_block) + " of a weight " + to_string(data.shape) + ")");
  return {data, BlockScale{scale, rows_per_block, cols_per_block, 0}};
}

}  // namespace mla
