// Which rows of the cache sparse attention looks at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "nn/arena.h"

namespace mla {

/// For each row of a pass the cache rows it attends to, in rising order, among those that the mask shows. The
/// same for all heads.
class Selection {
 public:
  /// Every row attends to all that it sees.
  Selection() = default;

  /// Rows from `first` on, up to `rows`, attend to `kept` cache rows each; those before it to all they see. Lives as
  /// long as what is taken from the arena now.
  Selection(std::size_t first, std::size_t rows, std::size_t kept, Arena& arena)
      : first_(first), kept_(kept), chosen_(arena.list<std::uint32_t>((rows - first) * kept)) {}

  /// Cache rows that a row attends to, or 0 if every row attends to all it sees.
  std::size_t kept() const { return kept_; }

  /// The first so many of a pass' `rows` rows attend to all that they see.
  std::size_t dense_rows(std::size_t rows) const { return kept_ == 0 ? rows : first_; }

  /// Empty if the row attends to all it sees.
  std::span<const std::uint32_t> row(std::size_t row) const {
    if (kept_ == 0 || row < first_) return {};
    return {chosen_.data() + (row - first_) * kept_, kept_};
  }
  /// To be filled in; `row` is not before the first.
  std::span<std::uint32_t> row_to_fill(std::size_t row) {
    return {chosen_.data() + (row - first_) * kept_, kept_};
  }

 private:
  std::size_t first_ = 0;
  std::size_t kept_ = 0;
  std::span<std::uint32_t> chosen_;
};

}  // namespace mla
