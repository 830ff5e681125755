#include "base/lfs_pointer.h"

#include "mla/error.h"

namespace mla {

void refuse_lfs_pointer(std::string_view content, const std::string& file) {
  constexpr std::string_view kFirstLine = "version https://git-lfs.github.com/spec/";
  if (content.substr(0, kFirstLine.size()) != kFirstLine) return;
  throw Error(ErrorCode::format, file, "",
              "found a Git LFS pointer instead of the file itself; fetch it with `git lfs pull`");
}

}  // namespace mla
