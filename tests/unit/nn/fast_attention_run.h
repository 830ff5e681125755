// Layers that compute for Precision::fast beside the exact ones they are made from.
#pragma once

#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "base/page_memory.h"
#include "nn/attention.h"
#include "unit/nn/attention_run.h"

namespace nn_test {

/// All that Model::load would pack.
inline void make_fast(mla::Attention& attention, mla::PageMemory& memory,
                      std::optional<mla::DType> quantize = std::nullopt) {
  const std::size_t items = attention.use_fast({.memory = memory, .quantize = quantize});
  for (std::size_t item = 0; item < items; ++item) attention.pack_fast(item, mla::best_kernels());
  attention.visit_linears([&](mla::Linear& linear, mla::LinearRole) {
    linear.reserve_panels(mla::DType::f32, memory);
    for (std::size_t panel = 0; panel < linear.packed().panels(); ++panel)
      linear.pack_panel(panel, mla::best_kernels());
  });
}

/// Numbers of rows that make up `rows`: pieces of `size`, the last one of what is left.
inline std::vector<std::size_t> pieces_of(std::size_t rows, std::size_t size) {
  std::vector<std::size_t> pieces(rows / size, size);
  if (rows % size > 0) pieces.push_back(rows % size);
  return pieces;
}

inline double root_mean_square(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

/// Root mean square of the differences as a share of what is expected.
inline double relative_error(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  std::vector<float> difference(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) difference[i] = found[i] - expected[i];
  return root_mean_square(difference) / root_mean_square(expected);
}

}  // namespace nn_test
