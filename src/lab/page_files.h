// The files of lab/page, which are part of the program: tools/cmake/EmbedFiles.cmake makes them a source file.
#pragma once

#include <span>
#include <string_view>

namespace mla {

struct EmbeddedFile {
  std::string_view name;  ///< Its path below lab/page.
  std::string_view content;
};

}  // namespace mla

namespace mla::lab {

std::span<const EmbeddedFile> page_files();

/// Throws std::logic_error if there is none of that name.
std::string_view page_file(std::string_view name);

}  // namespace mla::lab
