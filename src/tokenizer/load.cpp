// Tokenizer::load: which file it is, and of which kind.
#include <system_error>

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
  std::error_code ignored;  // What cannot be looked at cannot be read either; reading says so.
  const std::filesystem::path json = folder / "tokenizer.json";
  if (std::filesystem::exists(json, ignored)) return json;
  return find_gguf(folder, "tokenizer.json").value_or(json);
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::is_directory(path, ignored) ? choose(path) : path;
  if (!std::filesystem::is_regular_file(file, ignored) || !has_gguf_magic(file))
    return std::make_shared<TextTokenizer>(read_tokenizer_json(file));
  const GgufParts parts(file);  // The tokenizer keeps nothing of it.
  return std::make_shared<TextTokenizer>(read_gguf_tokenizer(parts.first()));
}

}  // namespace mla
