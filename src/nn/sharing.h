// Sharing work out among a session's threads.
#pragma once

#include <cstddef>

#include "base/function_ref.h"
#include "nn/workspace.h"

namespace mla {

/// Runs `count` items on all threads, or on this one if there are fewer than some thousand multiplications in
/// all: waking the others would take longer.
void for_items(Workspace& workspace, std::size_t count, std::size_t multiplications,
               FunctionRef<void(std::size_t item, int worker)> body);

/// The same for rows that are independent and cost about `multiplications_per_row` each, some at a time.
void for_rows(Workspace& workspace, std::size_t rows, std::size_t multiplications_per_row,
              FunctionRef<void(std::size_t first, std::size_t count)> body);

}  // namespace mla
