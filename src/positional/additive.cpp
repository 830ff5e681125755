#include "positional/additive.h"

#include "mla/error.h"

namespace mla {

void AdditiveEncoding::check(std::size_t position) const {
  const auto end = positions();
  if (end && position >= *end)
    throw Error(ErrorCode::limit, source_, "position",
                "found position " + std::to_string(position) + ", expected at most " +
                    std::to_string(*end - 1) + ", where the " + describe() + " ends");
}

std::vector<float> AdditiveEncoding::values(std::size_t position, std::size_t dims) const {
  check(position);
  std::vector<float> vector(dims);
  add(position, vector);
  return vector;
}

void AdditiveEncoding::prepare(PositionBatch& batch) const {
  if (batch.count > 0) check(batch.position(batch.count - 1));
}

void AdditiveEncoding::add_to_embedding(const PositionBatch& batch, Matrix x) const {
  for (std::size_t row = 0; row < x.rows; ++row) add(batch.position(row), x.row_span(row));
}

}  // namespace mla
