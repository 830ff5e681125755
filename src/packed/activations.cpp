#include "packed/activations.h"

#include "base/round_up.h"

namespace mla {
namespace {

constexpr std::size_t kAlignment = 64;

constexpr std::size_t aligned(std::size_t bytes) {
  return round_up(bytes, kAlignment);
}

constexpr std::size_t value_bytes(ActivationForm form) {
  if (form == ActivationForm::f32) return sizeof(float);
  return form == ActivationForm::bf16 || form == ActivationForm::bf16_pair ? sizeof(std::uint16_t)
                                                                           : sizeof(std::int8_t);
}

/// Where the arrays of a view begin, one behind the other.
struct Layout {
  std::size_t stride, scales, sums, groups, outliers, counts, end;

  explicit Layout(const ActivationView& view)
      : stride(aligned(view.cols * value_bytes(view.form)) *
               (view.form == ActivationForm::bf16_pair ? 2 : 1)) {
    const std::size_t entries = view.rows * view.blocks();
    scales = view.rows * stride;
    sums = scales + aligned(entries * sizeof(float));
    groups = sums + (view.form == ActivationForm::q8_32 ? aligned(entries * sizeof(std::int32_t)) : 0);
    outliers = groups + (view.form == ActivationForm::q8_256
                             ? aligned(entries * ActivationView::kGroupSums * sizeof(std::int16_t))
                             : 0);
    const bool apart = view.block_cols() != 0;
    counts = outliers + (apart ? aligned(view.rows * most_outliers(view.cols) * sizeof(Outlier)) : 0);
    end = counts + (apart ? aligned(view.rows * sizeof(std::uint32_t)) : 0);
  }
};

ActivationView shape_only(ActivationForm form, std::size_t rows, std::size_t cols) {
  ActivationView view;
  view.form = form;
  view.rows = rows;
  view.cols = cols;
  return view;
}

}  // namespace

std::size_t ActivationView::block_cols() const {
  if (form == ActivationForm::q8_32) return 32;
  return form == ActivationForm::q8_256 ? 256 : 0;
}

std::size_t ActivationView::blocks() const {
  const std::size_t width = block_cols();
  return width == 0 ? 0 : cols / width;
}

ActivationView ActivationView::middle_rows(std::size_t first, std::size_t count) const {
  ActivationView part = *this;
  part.rows = count;
  part.values = row_values(first);
  if (scales != nullptr) part.scales = row_scales(first);
  if (sums != nullptr) part.sums = row_sums(first);
  if (groups != nullptr) part.groups = row_groups(first);
  if (outliers != nullptr) {
    part.outliers = row_outliers(first);
    part.outlier_counts += first;
  }
  return part;
}

std::size_t activation_bytes(ActivationForm form, std::size_t rows, std::size_t cols) {
  return Layout(shape_only(form, rows, cols)).end;
}

ActivationView activations_in(std::byte* memory, ActivationForm form, std::size_t rows, std::size_t cols) {
  ActivationView view = shape_only(form, rows, cols);
  const Layout at(view);
  view.values = memory;
  view.stride = at.stride;
  if (view.block_cols() != 0) view.scales = reinterpret_cast<const float*>(memory + at.scales);
  if (form == ActivationForm::q8_32) view.sums = reinterpret_cast<const std::int32_t*>(memory + at.sums);
  if (form == ActivationForm::q8_256) view.groups = reinterpret_cast<const std::int16_t*>(memory + at.groups);
  if (view.block_cols() != 0) {
    view.outliers = reinterpret_cast<const Outlier*>(memory + at.outliers);
    view.outlier_counts = reinterpret_cast<const std::uint32_t*>(memory + at.counts);
  }
  return view;
}

}  // namespace mla
