// Tokenizer::load: which file it is, and of which kind.
#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "formats/gguf_parts.h"
#include "mla/error.h"
#include "mla/tokenizer.h"
#include "tokenizer/gguf_vocabulary.h"
#include "tokenizer/text_tokenizer.h"
#include "tokenizer/tokenizer_json.h"

namespace mla {
namespace {

bool begins_as_gguf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  return file.read(magic, sizeof magic) && std::string_view(magic, sizeof magic) == "GGUF";
}

/// The file within `folder` that has the tokenizer.
std::filesystem::path choose(const std::filesystem::path& folder) {
  std::error_code ignored;  // What cannot be looked at cannot be read either; reading says so.
  const std::filesystem::path json = folder / "tokenizer.json";
  if (std::filesystem::exists(json, ignored)) return json;
  std::vector<std::filesystem::path> models;
  for (auto entry = std::filesystem::directory_iterator(folder, ignored);
       !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored))
    if (entry->path().extension() == ".gguf") models.push_back(entry->path());
  if (models.empty()) return json;
  std::sort(models.begin(), models.end());
  if (models.size() > 1 && GgufParts(models.front()).files().size() != models.size())
    throw Error(ErrorCode::io, folder.string(), "",
                "found no tokenizer.json but several models in " + std::to_string(models.size()) +
                    " GGUF files, expected one; name the file");
  return models.front();
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::is_directory(path, ignored) ? choose(path) : path;
  if (!std::filesystem::is_regular_file(file, ignored) || !begins_as_gguf(file))
    return std::make_shared<TextTokenizer>(read_tokenizer_json(file));
  const GgufParts parts(file);  // The tokenizer keeps nothing of it.
  return std::make_shared<TextTokenizer>(read_gguf_tokenizer(parts.first()));
}

}  // namespace mla
