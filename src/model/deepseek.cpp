// Weight names and layout: transformers' modeling_deepseek_v2.py and modeling_deepseek_v3.py, and the
// published checkpoints (https://huggingface.co/deepseek-ai).
#include "model/deepseek.h"

#include "model/deepseek_config.h"
#include "model/mla_parts.h"

namespace mla {

Decoder build_deepseek(const JsonField& config, const Checkpoint& checkpoint, ModelInfo& info) {
  return build_mla(read_deepseek_config(config), checkpoint, info);
}

}  // namespace mla
