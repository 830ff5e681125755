// Git LFS pointers: the few lines of text that a clone has instead of a large file that was never fetched.
#pragma once

#include <string>
#include <string_view>

namespace mla {

/// Throws Error(format) that says what to do if `content`, a file's bytes, is such a pointer.
void refuse_lfs_pointer(std::string_view content, const std::string& file);

}  // namespace mla
