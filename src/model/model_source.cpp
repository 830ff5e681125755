#include "model/model_source.h"

#include <system_error>

#include "mla/error.h"
#include "model/architecture.h"
#include "model/generation_config.h"

namespace mla {
namespace {

ModelSource open_folder(const std::filesystem::path& folder) {
  const std::filesystem::path config_path = folder / "config.json";
  Json config = read_json_file(config_path);
  architecture_of(JsonField(config, config_path.string()));  // An unknown one is said before anything else.
  GenerationConfig generation = read_generation_config(folder, JsonField(config, config_path.string()));
  return {.path = folder.string(),
          .format = "safetensors",
          .config = std::move(config),
          .config_file = config_path.string(),
          .checkpoint = Checkpoint(folder),
          .generation = std::move(generation)};
}

}  // namespace

ModelSource open_model(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored))
    throw Error(ErrorCode::io, path.string(), "", "found a file, expected a model folder");
  return open_folder(path);
}

}  // namespace mla
