// What products see of their activations: rows of float32, and the same rows in the forms that packed weights
// multiply by.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "nn/workspace.h"
#include "packed/activations.h"
#include "tensor/matrix.h"

namespace mla {

/// A view, like a matrix: the memory belongs to whoever made the rows, and to the arena.
class LinearInput {
 public:
  LinearInput() = default;
  /// Weights that are not packed need no more than the rows themselves.
  LinearInput(ConstMatrix floats)
      : floats_(floats), rows_(floats.rows), cols_(floats.cols) {}  // NOLINT: is one.
  LinearInput(Matrix floats) : LinearInput(ConstMatrix(floats)) {}  // NOLINT

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  ConstMatrix floats() const { return floats_; }

  /// Makes the form from the floats, on all threads, in the arena's memory, unless it is there already.
  void add(ActivationForm form, Workspace& workspace);

  bool has(ActivationForm form) const { return forms_[index(form)].values != nullptr; }
  /// One that was added.
  const ActivationView& in(ActivationForm form) const { return forms_[index(form)]; }

  /// Rows [first, first + count) in all forms there are.
  LinearInput middle_rows(std::size_t first, std::size_t count) const;

  /// Rows `which`, in this order, in all forms there are, in the arena's memory; without the floats if there are none
  /// or `with_floats` says no.
  LinearInput gather(std::span<const std::size_t> which, bool with_floats, Workspace& workspace) const;

 private:
  static std::size_t index(ActivationForm form) { return static_cast<std::size_t>(form); }

  ConstMatrix floats_;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::array<ActivationView, kActivationForms> forms_;
};

}  // namespace mla
