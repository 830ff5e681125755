#include "nn/linear_input.h"

#include <algorithm>

#include "nn/sharing.h"

namespace mla {
namespace {

/// Values that quantizing a row of `cols` costs about as much as multiplications.
std::size_t conversion_cost(std::size_t cols) {
  return 4 * cols;
}

}  // namespace

void LinearInput::add(ActivationForm form, Workspace& workspace) {
  if (has(form)) return;
  std::byte* memory = workspace.arena.bytes(activation_bytes(form, rows_, cols_));
  const ActivationView made = activations_in(memory, form, rows_, cols_);
  for_rows(workspace, rows_, conversion_cost(cols_), [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row)
      workspace.packed.quantize(floats_.row(row), made, row);
  });
  forms_[index(form)] = made;
}

LinearInput LinearInput::middle_rows(std::size_t first, std::size_t count) const {
  LinearInput part = *this;
  part.rows_ = count;
  if (floats_.data != nullptr) part.floats_ = floats_.middle_rows(first, count);
  for (ActivationView& view : part.forms_)
    if (view.values != nullptr) view = view.middle_rows(first, count);
  return part;
}

LinearInput LinearInput::gather(std::span<const std::size_t> which, bool with_floats,
                                Workspace& workspace) const {
  LinearInput gathered;
  gathered.rows_ = which.size();
  gathered.cols_ = cols_;
  Matrix floats;
  if (with_floats && floats_.data != nullptr) {
    floats = workspace.arena.matrix(which.size(), cols_);
    gathered.floats_ = floats;
  }
  for (const ActivationView& view : forms_)
    if (view.values != nullptr)
      gathered.forms_[index(view.form)] =
          activations_in(workspace.arena.bytes(activation_bytes(view.form, which.size(), cols_)), view.form,
                         which.size(), cols_);
  for_rows(workspace, which.size(), cols_, [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row) {
      if (floats.data != nullptr) std::copy_n(floats_.row(which[row]), cols_, floats.row(row));
      for (const ActivationView& view : forms_)
        if (view.values != nullptr) copy_row(view, which[row], gathered.in(view.form), row);
    }
  });
  return gathered;
}

}  // namespace mla
