#include "model/model_source.h"

#include <system_error>

#include "base/file.h"
#include "formats/gguf_location.h"
#include "mla/error.h"
#include "model/architecture.h"
#include "model/generation_config.h"
#include "model/gguf_model.h"

namespace mla {
namespace {

/// One template, or several with their names.
void check_chat_template(const JsonField& field) {
  if (!field.json().is_array()) {
    field.as_string();
    return;
  }
  for (std::size_t i = 0; i < field.array_size(); ++i) {
    field.element(i).get("name").as_string();
    field.element(i).get("template").as_string();
  }
}

/// A chat template lies in a file of its own or in the tokenizer's config.
bool has_chat_template(const std::filesystem::path& folder) {
  if (is_present(folder / "chat_template.jinja")) return true;
  const std::filesystem::path path = folder / "tokenizer_config.json";
  if (!is_present(path)) return false;
  const Json config = read_json_file(path, kMaxTokenizerConfigBytes, {"chat_template"});
  const auto found = JsonField(config, path.string()).find("chat_template");
  if (found) check_chat_template(*found);
  return found.has_value();
}

ModelSource open_folder(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / "config.json";
  Json config = read_json_file(config_path, kMaxConfigBytes);
  architecture_of(JsonField(config, config_path.string()));  // An unknown one is said before anything else.
  GenerationConfig generation = read_generation_config(folder, JsonField(config, config_path.string()));
  return {.path = folder.string(),
          .format = "safetensors",
          .file_type = {},
          .tokenizer = is_present(folder / "tokenizer.json"),
          .chat_template = has_chat_template(folder),
          .config = std::move(config),
          .config_file = config_path.string(),
          .config_names = {},
          .checkpoint = Checkpoint(folder),
          .generation = std::move(generation),
          .unread_metadata = std::nullopt};
}

}  // namespace

ModelSource open_model(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) {
    if (has_gguf_magic(path)) return open_gguf(path);
    throw Error(ErrorCode::io, path.string(), "",
                "found a file that does not begin with \"GGUF\", expected a GGUF file or a model folder");
  }
  if (std::filesystem::is_directory(path, ignored) && !is_present(path / "config.json"))
    if (const auto file = find_gguf(path, "config.json")) return open_gguf(*file);
  return open_folder(path);
}

}  // namespace mla
