#include "tokenizer/tokenizer_config.h"

#include "base/file.h"
#include "base/json.h"

namespace mla {

std::optional<std::string> bos_to_add(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "tokenizer_config.json";
  if (!is_present(path)) return std::nullopt;
  const Json document = read_json_file(path, kMaxTokenizerConfigBytes, {"add_bos_token", "bos_token"});
  const JsonField config(document, path.string());
  const auto wanted = config.find("add_bos_token");
  if (!wanted || !wanted->as_bool()) return std::nullopt;
  const auto found = config.find("bos_token");
  if (!found) return std::nullopt;
  const JsonField& token = *found;
  return token.json().is_object() ? token.get("content").as_string() : token.as_string();
}

}  // namespace mla
