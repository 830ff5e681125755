// config.json of the DeepSeek family, read strictly.
#pragma once

#include "base/json.h"
#include "model/mla_config.h"

namespace mla {

/// Names and defaults are those of transformers' configuration_deepseek_v2.py and
/// configuration_deepseek_v3.py, by `model_type`; whatever is not deepseek_v2 is read as deepseek_v3. Throws
/// Error(format) for a missing or impossible value, Error(unsupported) for one mla does not know.
MlaConfig read_deepseek_config(const JsonField& config);

}  // namespace mla
