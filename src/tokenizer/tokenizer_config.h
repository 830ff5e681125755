// The one thing of tokenizer_config.json that changes ids.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mla {

/// The text of the BOS token, if `folder`/tokenizer_config.json exists and says `"add_bos_token": true`.
/// Checkpoints such as DeepSeek-V3 ask for their BOS there and not in tokenizer.json's post-processor. Throws Error(format).
std::optional<std::string> bos_to_add(const std::filesystem::path& folder);

}  // namespace mla
