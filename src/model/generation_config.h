// generation_config.json over config.json: stop ids and sampling defaults.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "mla/model.h"

namespace mla {

/// Reads bos / eos from `config`, then whatever `folder`/generation_config.json has, which wins. Throws
/// Error(format) on a value of the wrong type or range.
GenerationConfig read_generation_config(const std::filesystem::path& folder, const JsonField& config);

}  // namespace mla
