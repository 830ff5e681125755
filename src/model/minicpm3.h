// MiniCPM3 (https://huggingface.co/openbmb/MiniCPM3-4B).
#pragma once

#include "model/architecture.h"
#include "model/mla_config.h"

namespace mla {

MlaConfig read_minicpm3_config(const JsonField& config);

Decoder build_minicpm3(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
