// MiniCPM3 (https://huggingface.co/openbmb/MiniCPM3-4B).
#pragma once

#include "model/architecture.h"

namespace mla {

Decoder build_minicpm3(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
