// Youtu-LLM (https://huggingface.co/tencent/Youtu-LLM-2B).
#pragma once

#include "model/architecture.h"

namespace mla {

Decoder build_youtu(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
