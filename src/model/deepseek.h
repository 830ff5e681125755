// DeepSeek-V2, V2-Lite, V3, R1, and the models that share their architecture (Moonlight, Kimi-K2).
#pragma once

#include "model/architecture.h"

namespace mla {

Decoder build_deepseek(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
