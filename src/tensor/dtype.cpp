#include "tensor/dtype.h"

namespace mla {
namespace {

constexpr bool table_follows_the_enum() {
  for (std::size_t i = 0; i < kDTypeTraits.size(); ++i)
    if (static_cast<std::size_t>(kDTypeTraits[i].dtype) != i) return false;
  return true;
}
static_assert(table_follows_the_enum());

}  // namespace

std::optional<DType> find_dtype(std::string_view name) {
  for (const DTypeTraits& traits : kDTypeTraits)
    if (traits.name == name) return traits.dtype;
  return std::nullopt;
}

std::optional<std::size_t> element_count(std::span<const std::size_t> shape) {
  std::optional<std::size_t> count = 1;
  for (const std::size_t dimension : shape)
    if (count) count = checked_multiply(*count, dimension);
  return count;
}

std::optional<std::size_t> byte_size(DType dtype, std::span<const std::size_t> shape) {
  const DTypeTraits& traits = dtype_traits(dtype);
  const std::size_t cols = shape.empty() ? 1 : shape.back();
  const std::optional<std::size_t> count = element_count(shape);
  if (!count || cols % traits.block_elements != 0) return std::nullopt;
  return checked_multiply(*count / traits.block_elements, traits.block_bytes);
}

}  // namespace mla
