// Weights to float, one element at a time and plainly: the reference that the fast kernels are tested
// against.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tensor/view.h"

namespace mla {

/// Element [row, col] of the tensor seen as a matrix (TensorView::rows, cols). In range, not checked.
float decode_element(const TensorView& tensor, std::size_t row, std::size_t col);

/// Elements [first_col, first_col + out.size()) of a row, block scales multiplied in (float(element) *
/// float(scale), rounded once to float). Throws Error(argument) if they are not within the weight.
void decode_row(const WeightView& weight, std::size_t row, std::size_t first_col, std::span<float> out);
void decode_row(const TensorView& tensor, std::size_t row, std::size_t first_col, std::span<float> out);

/// All elements in row-major order.
std::vector<float> decode(const TensorView& tensor);
std::vector<float> decode(const WeightView& weight);

}  // namespace mla
