#include "lab/page_files.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace mla::lab {

std::string_view page_file(std::string_view name) {
  const auto files = page_files();
  const auto found = std::ranges::find(files, name, &EmbeddedFile::name);
  if (found == files.end()) throw std::logic_error("no file lab/page/" + std::string(name));
  return found->content;
}

}  // namespace mla::lab
