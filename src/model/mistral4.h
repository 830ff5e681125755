// Mistral Small 4 (https://huggingface.co/mistralai/Mistral-Small-4-119B-2603), the language model alone.
#pragma once

#include "model/architecture.h"

namespace mla {

Decoder build_mistral4(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
