// The rotary-embedding part of a config.json, in both of the styles in which it is written.
#pragma once

#include <cstddef>

#include "base/json.h"
#include "positional/rope_frequencies.h"

namespace mla {

/// What a family assumes of the keys below.
struct RopeDefaults {
  double theta = 10000.0;              ///< Where none is given.
  double partial_rotary_factor = 1.0;  ///< The only value of that key which means all of `rope_dim`.
  /// Whether the key counts with the default type, too: most classes look at it only where frequencies are scaled.
  bool default_type_is_partial = false;
  bool query_scaling = false;  ///< llama_4_scaling_beta is read, and must be there.
};

/// Reads `rope_scaling` + top-level `rope_theta`, or `rope_parameters`, as transformers'
/// modeling_rope_utils.py standardizes them: `rope_scaling` wins over `rope_parameters`, `rope_type` over
/// `type`, and for yarn, llama3 and longrope a top-level
/// original_max_position_embeddings wins over the inner one, which falls back to max_position_embeddings.
/// Throws Error(unsupported) on an unknown rope type or, where it counts, another partial_rotary_factor, Error(format)
/// on a value that is missing or out of range.
RopeScaling read_rope_scaling(const JsonField& config, std::size_t rope_dim,
                              std::size_t max_position_embeddings, const RopeDefaults& defaults = {});

}  // namespace mla
