#include "nn/sharing.h"

#include <algorithm>

namespace mla {

void for_items(Workspace& workspace, std::size_t count, std::size_t multiplications,
               FunctionRef<void(std::size_t item, int worker)> body) {
  constexpr std::size_t kWorthWaking = 32 * 1024;
  if (multiplications < kWorthWaking) {
    for (std::size_t item = 0; item < count; ++item) body(item, 0);
    return;
  }
  workspace.pool.parallel_for(count, body);
}

void for_rows(Workspace& workspace, std::size_t rows, std::size_t multiplications_per_row,
              FunctionRef<void(std::size_t first, std::size_t count)> body) {
  constexpr std::size_t kRowsAtOnce = 8;
  const std::size_t items = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  for_items(workspace, items, rows * multiplications_per_row, [&](std::size_t item, int) {
    const std::size_t first = item * kRowsAtOnce;
    body(first, std::min(kRowsAtOnce, rows - first));
  });
}

}  // namespace mla
