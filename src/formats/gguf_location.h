// Where a GGUF file is: by what a file begins with, or within a folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace mla {

/// False also for what cannot be read.
bool has_gguf_magic(const std::filesystem::path& file);

/// The folder's GGUF file, or the first of its parts; nothing if there is none. Throws Error(io) if there are several
/// models, saying that `missing` (the file that would have been preferred) is not there.
std::optional<std::filesystem::path> find_gguf(const std::filesystem::path& folder,
                                               const std::string& missing);

}  // namespace mla
