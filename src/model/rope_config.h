// The rotary-embedding part of a config.json, in both of the styles in which it is written.
#pragma once

#include <cstddef>

#include "base/json.h"
#include "positional/rope_frequencies.h"

namespace mla {

/// Reads `rope_scaling` + top-level `rope_theta`, or `rope_parameters`, as transformers'
/// modeling_rope_utils.py standardizes them: `rope_scaling` wins over `rope_parameters`, `rope_type` over
/// `type`, a missing theta is 10000, and for yarn, llama3 and longrope a top-level
/// original_max_position_embeddings wins over the inner one, which falls back to max_position_embeddings.
/// Throws Error(unsupported) on an unknown rope type, Error(format) on a value that is missing or out of
/// range.
RopeScaling read_rope_scaling(const JsonField& config, std::size_t rope_dim,
                              std::size_t max_position_embeddings);

}  // namespace mla
