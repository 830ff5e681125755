// DeepSeek-V3.2: DeepSeek-V3 with sparse attention.
#pragma once

#include "model/architecture.h"
#include "model/mla_config.h"

namespace mla {

/// Names and defaults are those of transformers' configuration_deepseek_v32.py. As in its class, `rope_interleave`
/// counts for nothing and queries are always compressed. Throws Error(format) for a missing or impossible value,
/// Error(unsupported) for one mla does not know.
MlaConfig read_deepseek_v32_config(const JsonField& config);

Decoder build_deepseek_v32(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
