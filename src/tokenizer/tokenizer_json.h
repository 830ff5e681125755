// tokenizer.json.
#pragma once

#include <filesystem>

#include "tokenizer/text_tokenizer.h"

namespace mla {

/// The parts of the tokenizer that `file` describes, with what the tokenizer_config.json beside it says about BOS.
/// Throws Error (io, format, unsupported).
TokenizerParts read_tokenizer_json(const std::filesystem::path& file);

}  // namespace mla
