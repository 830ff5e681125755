// GLM-4.7-Flash (https://huggingface.co/zai-org/GLM-4.7-Flash).
#pragma once

#include "model/architecture.h"

namespace mla {

Decoder build_glm4_moe_lite(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
