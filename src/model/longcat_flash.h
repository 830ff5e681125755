// LongCat-Flash (https://huggingface.co/meituan-longcat/LongCat-Flash-Chat).
#pragma once

#include "model/architecture.h"

namespace mla {

Decoder build_longcat_flash(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info);

}  // namespace mla
