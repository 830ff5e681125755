// A weight matrix in panels.
#pragma once

#include <cstddef>
#include <span>

#include "base/page_memory.h"
#include "packed/packed_kernels.h"
#include "packed/panel.h"
#include "tensor/matrix.h"

namespace mla {

/// Rows are output features. The memory belongs to the PageMemory it was taken from.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  /// Takes the memory for it; all weights are 0 until their panel is packed. `cols` is whole blocks of `dtype`; F8_E4M3 has
  /// a factor for each `scale_cols` of them.
  PackedMatrix(DType dtype, std::size_t rows, std::size_t cols, PageMemory& memory,
               std::size_t scale_cols = 0);

  bool empty() const { return data_ == nullptr; }
  DType dtype() const { return dtype_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t panels() const { return (rows_ + kPanelRows - 1) / kPanelRows; }
  std::size_t bytes() const { return panels() * panel_.bytes; }

  /// First row and number of rows of a panel.
  std::size_t panel_first(std::size_t panel) const { return panel * kPanelRows; }
  std::size_t panel_rows(std::size_t panel) const;

  /// Fills a panel from its panel_rows rows of dtype(), of F8_E4M3 with the factors of each row's blocks, row by row.
  /// Different panels may be packed at the same time.
  void pack(std::size_t panel, std::span<const std::byte* const> rows, std::span<const float> scales = {});

  /// y [x.rows, count] = x W^T, `x` as PanelJob says, for the output features [first, first + count), `first` a multiple of kPanelRows.
  /// `scratch` is kernels.scratch_bytes(cols()), aligned to kPanelAlignment.
  void multiply(const ActivationView& x, std::size_t first, std::size_t count, Matrix y, std::byte* scratch,
                const PackedKernels& kernels) const;

 private:
  DType dtype_ = DType::f32;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::size_t scale_cols_ = 0;
  PanelShape panel_;
  std::byte* data_ = nullptr;
};

}  // namespace mla
