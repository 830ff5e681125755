#include "packed/packed_matrix.h"

#include <algorithm>
#include <cassert>
#include <new>

namespace mla {

PackedMatrix::PackedMatrix(DType dtype, std::size_t rows, std::size_t cols, PageMemory& memory,
                           std::size_t scale_cols)
    : dtype_(dtype),
      rows_(rows),
      cols_(cols),
      scale_cols_(scale_cols),
      panel_(panel_shape(dtype, cols, scale_cols)) {
  const auto size = checked_multiply(panels(), panel_.bytes);
  if (!size) throw std::bad_alloc();
  data_ = memory.take(*size);
}

std::size_t PackedMatrix::panel_rows(std::size_t panel) const {
  return std::min(kPanelRows, rows_ - panel_first(panel));
}

void PackedMatrix::pack(std::size_t panel, std::span<const std::byte* const> rows,
                        std::span<const float> scales) {
  assert(rows.size() == panel_rows(panel));
  std::byte* const to = data_ + panel * panel_.bytes;
  if (dtype_ == DType::f8_e4m3)
    pack_f8_panel(rows, scales, cols_, scale_cols_, to);
  else
    pack_panel(dtype_, rows, cols_, to);
}

void PackedMatrix::multiply(const ActivationView& x, std::size_t first, std::size_t count, Matrix y,
                            std::byte* scratch, const PackedKernels& kernels) const {
  assert(first % kPanelRows == 0 && first + count <= rows_ && x.cols == cols_);
  assert(x.form == kernels.form(dtype_) || (dtype_ == DType::bf16 && x.form == ActivationForm::bf16));
  const PanelJob job{.panels = data_ + first / kPanelRows * panel_.bytes,
                     .panel_bytes = panel_.bytes,
                     .rows = count,
                     .cols = cols_,
                     .scales = panel_.scales,
                     .scale_cols = scale_cols_,
                     .x = x,
                     .y = y,
                     .scratch = scratch};
  const auto index = static_cast<std::size_t>(dtype_);
  kernels.multiply[index](job);
  if (x.has_outliers()) kernels.add_outliers[index](job);
}

}  // namespace mla
