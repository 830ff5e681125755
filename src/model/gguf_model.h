// Models from GGUF files.
#pragma once

#include <filesystem>
#include <string>

#include "model/model_source.h"

namespace mla {

/// Opens a GGUF file, with the other parts of its set if it is one of several. Tensors are not read, but for factors of
/// the rotary embedding. Generation ends at the ids that llama.cpp ends at by their keys: tokenizer.ggml.eos_token_id,
/// eot_token_id (the end of a turn) and eom_token_id (of a message). Throws Error (io, format, unsupported).
ModelSource open_gguf(const std::filesystem::path& file);

}  // namespace mla
