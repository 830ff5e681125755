// `mla compare` on a terminal.
#pragma once

#include <string>

#include "lab/comparison.h"

namespace mla::lab {

inline constexpr std::size_t kTableColumns = 100;

/// A table of at most kTableColumns columns and what it says, in plain text.
std::string to_text(const Comparison& comparison);

}  // namespace mla::lab
