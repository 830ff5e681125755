// How MLA attends to its cache.
#pragma once

namespace mla {

/// All ways compute the same function of the same cache; they differ in cost and in rounding.
enum class AttentionPath {
  automatic,     ///< The cheaper of the two for the call's shape.
  decompressed,  ///< Keys and values of each head are made from the latents first: cheap for many rows
                 ///< (prefill).
  absorbed,      ///< The up-projections are applied to the query and to the result instead: cheap for few
                 ///< (decode).
};

}  // namespace mla
