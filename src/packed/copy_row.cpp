#include <cassert>
#include <cstring>

#include "packed/activations.h"

namespace mla {
namespace {

/// Views are of memory that their maker may write (activations_in).
template <typename Value>
void copy(const Value* from, const Value* to, std::size_t bytes) {
  std::memcpy(const_cast<Value*>(to), from, bytes);
}

}  // namespace

void copy_row(const ActivationView& from, std::size_t which, const ActivationView& to, std::size_t row) {
  assert(from.form == to.form && from.cols == to.cols);
  copy(from.row_values(which), to.row_values(row), from.stride);
  const std::size_t blocks = from.blocks();
  if (from.scales != nullptr) copy(from.row_scales(which), to.row_scales(row), blocks * sizeof(float));
  if (from.sums != nullptr) copy(from.row_sums(which), to.row_sums(row), blocks * sizeof(std::int32_t));
  if (from.groups != nullptr)
    copy(from.row_groups(which), to.row_groups(row),
         blocks * ActivationView::kGroupSums * sizeof(std::int16_t));
  if (from.outliers == nullptr) return;
  copy(from.outlier_counts + which, to.outlier_counts + row, sizeof(std::uint32_t));
  copy(from.row_outliers(which), to.row_outliers(row), from.outlier_counts[which] * sizeof(Outlier));
}

}  // namespace mla
