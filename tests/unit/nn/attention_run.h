// A layer's attention as a session calls it.
#pragma once

#include <catch2/catch.hpp>

#include <cstddef>
#include <numeric>
#include <vector>

#include "nn/attention.h"
#include "nn/kv_cache.h"
#include "unit/nn/nn_test_data.h"

namespace nn_test {

/// The rows of x in pieces of the given numbers, each behind what is cached of the former ones, as one call; the results
/// of all, as wide as x unless `width` says otherwise.
inline std::vector<float> run_in_pieces(const mla::Attention& attention,
                                        const mla::PositionalEncoding& position, const Rows& x,
                                        const std::vector<std::size_t>& pieces,
                                        const mla::PassOptions& options, mla::Workspace& workspace,
                                        std::size_t offset = 0, std::size_t width = 0) {
  mla::KvCache cache({attention.cache_widths()}, x.rows());
  const std::size_t tokens = std::accumulate(pieces.begin(), pieces.end(), std::size_t{0});
  Rows out(tokens, width == 0 ? x.matrix().cols : width, 3);
  mla::PositionBatch batch{.sequence_length = tokens, .call_count = tokens, .offset = offset};
  for (const std::size_t count : pieces) {
    const std::size_t context = batch.first + count;
    cache.reserve(context);
    batch.count = count;
    position.prepare(batch);
    attention.forward(x.matrix().middle_rows(batch.first, count),
                      {0, batch, position, cache.layer(0, context), options}, workspace,
                      out.matrix().middle_rows(batch.first, count));
    batch.first = context;
  }
  CHECK(out.margin_untouched());
  return out.packed();
}

}  // namespace nn_test
