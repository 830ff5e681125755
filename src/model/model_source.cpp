#include "model/model_source.h"

#include <system_error>

#include "formats/gguf_location.h"
#include "mla/error.h"
#include "model/architecture.h"
#include "model/generation_config.h"
#include "model/gguf_model.h"

namespace mla {
namespace {

constexpr std::size_t kMaxTokenizerConfigBytes = 100'000'000;

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// A chat template lies in a file of its own or in the tokenizer's config.
bool has_chat_template(const std::filesystem::path& folder) {
  if (is_there(folder / "chat_template.jinja")) return true;
  const std::filesystem::path path = folder / "tokenizer_config.json";
  if (!is_there(path)) return false;
  const Json config = read_json_file(path, kMaxTokenizerConfigBytes);
  return JsonField(config, path.string()).find("chat_template").has_value();
}

ModelSource open_folder(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / "config.json";
  Json config = read_json_file(config_path);
  architecture_of(JsonField(config, config_path.string()));  // An unknown one is said before anything else.
  GenerationConfig generation = read_generation_config(folder, JsonField(config, config_path.string()));
  return {.path = folder.string(),
          .format = "safetensors",
          .file_type = {},
          .tokenizer = is_there(folder / "tokenizer.json"),
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
  if (std::filesystem::is_directory(path, ignored) && !is_there(path / "config.json"))
    if (const auto file = find_gguf(path, "config.json")) return open_gguf(*file);
  return open_folder(path);
}

}  // namespace mla
