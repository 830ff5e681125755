#include "mla/error.h"

#include "base/escape.h"

namespace mla {
namespace {

constexpr std::size_t kLongest = 600;  // File content ends up here: keep one line readable.

std::string compose(std::string_view file, std::string_view field, std::string_view message) {
  std::string line;
  for (const std::string_view part : {file, field}) {
    if (part.empty()) continue;
    append_escaped(line, part, kLongest);
    line += ": ";
  }
  append_escaped(line, message, kLongest);
  return line;
}

}  // namespace

Error::Error(ErrorCode code, std::string_view file, std::string_view field, std::string_view message)
    : std::runtime_error(compose(file, field, message)), code_(code), file_(file), field_(field) {}

Error::Error(ErrorCode code, std::string_view message) : Error(code, {}, {}, message) {}

}  // namespace mla
