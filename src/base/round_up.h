#pragma once

#include <cstddef>

namespace mla {

/// The least multiple of `step` that is not less than `value`.
constexpr std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace mla
