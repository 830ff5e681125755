// Tokenizer::load: which file it is, and of which kind.
#include <array>
#include <string>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "base/lfs_pointer.h"
#include "formats/gguf_location.h"
#include "formats/gguf_parts.h"
#include "mla/error.h"
#include "mla/tokenizer.h"
#include "tokenizer/gguf_vocabulary.h"
#include "tokenizer/text_tokenizer.h"
#include "tokenizer/tokenizer_json.h"

namespace mla {
namespace {

/// The file within `folder` that has the tokenizer.
std::filesystem::path choose(const std::filesystem::path& folder) {
  std::filesystem::path json = folder / "tokenizer.json";
  if (is_present(json)) return json;
  return find_gguf(folder, "tokenizer.json").value_or(json);
}

/// A file that was named must be one or the other.
void refuse_neither(const std::filesystem::path& file) {
  std::array<char, 64> buffer{};
  const std::string_view first(buffer.data(), FileReader(file).read(buffer));
  refuse_lfs_pointer(first, file.string());
  const std::size_t begin = first.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || first[begin] != '{') {
    throw Error(
        ErrorCode::format, file.string(), "",
        "found neither \"GGUF\" nor '{' at its beginning, expected a GGUF file, a tokenizer.json or a model "
        "folder");
  }
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  const std::filesystem::path file = is_folder ? choose(path) : path;
  if (!std::filesystem::is_regular_file(file, ignored) || !has_gguf_magic(file)) {
    if (!is_folder) refuse_neither(file);
    return std::make_shared<TextTokenizer>(read_tokenizer_json(file));
  }
  const GgufParts parts(file);  // The tokenizer keeps nothing of it.
  return std::make_shared<TextTokenizer>(read_gguf_tokenizer(parts.first()));
}

}  // namespace mla
