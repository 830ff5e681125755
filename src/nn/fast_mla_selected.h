// The absorbed form of MLA over latents in bf16 for rows that attend to some of them only.
#pragma once

#include <array>
#include <cstddef>

#include "nn/attention.h"
#include "nn/flash_attention.h"
#include "nn/selection.h"

namespace mla {

/// Queries of all heads that have taken in W_UK, as they meet the cache's rows.
struct LatentQueries {
  std::size_t tokens = 0;
  std::size_t heads = 0;
  std::array<HeadRows<const float>, 2> parts = {};  ///< Latent and rotary.
  float scale = 0.0F;
  HeadRows<float> out;  ///< The mixed latents.
};

/// The tokens from selection.dense_rows on, each with the rows of the cache that are selected for it. These are gathered
/// once for all heads; blocks of kKeyBlock of them are attended to like any others.
void attend_selected(const LatentQueries& queries, const AttentionCall& call, const Selection& selection,
                     Workspace& workspace);

}  // namespace mla
