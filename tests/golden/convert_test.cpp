// Every checkpoint that GGUF has a form for, made into a GGUF file, is the same function; the others are refused by the
// key that GGUF has no form for.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "convert/convert.h"
#include "formats/npy.h"
#include "mla/model.h"
#include "mla/session.h"
#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"

using namespace mla;

namespace {

std::vector<std::filesystem::path> checkpoints() {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(MLA_TEST_DATA_DIR "/golden/checkpoints"))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

/// What of a checkpoint GGUF has no form for. Families and encodings that it does not have are not listed.
const std::map<std::string, std::string> kRefused = {
    {"gpt2_gelu", "activation_function"},
    {"gpt2_inverse_layer", "scale_attn_by_inverse_layer_idx"},
    {"gpt2_relu", "activation_function"},
    {"gpt2_unscaled", "scale_attn_weights"},
    {"llama_dynamic", "rope_scaling.rope_type"},
    {"llama_longrope", "rope_scaling.rope_type"},
    {"llama_yarn_mscales", "rope_scaling.mscale"},
    {"mistral_layer_types", "sliding_window"},
    {"qwen2_layer_types", "sliding_window"},
    {"qwen2_window", "sliding_window"},
    {"qwen3_bias", "attention_bias"},
    {"qwen3_layer_types", "sliding_window"},
    {"v2_attention_bias", "attention_bias"},
    {"v2_linear", "rope_scaling.rope_type"},
    {"v2_mlp_bias", "mlp_bias"},
    {"v2_no_shared", "n_shared_experts"},
    {"v2_yarn_mscales", "rope_scaling.mscale"},
    {"v2_yarn_no_mscale", "rope_parameters.mscale"},
    {"v3_attention_bias", "attention_bias"},
    {"v3_dynamic", "rope_scaling.rope_type"},
    {"v3_linear", "rope_parameters.rope_type"},
    {"v3_llama3", "rope_scaling.rope_type"},
    {"v3_longrope", "rope_scaling.rope_type"},
    {"v3_no_shared", "n_shared_experts"},
    {"v3_yarn_attention_factor", "rope_scaling.mscale"},
    {"v3_yarn_mscales", "rope_parameters.mscale"},
    {"minicpm3_longrope", "dim_model_base"},
    {"minicpm3_plain", "attention_bias"},
    {"minicpm3_published", "dim_model_base"}};

/// Checkpoints of families GGUF, as mla writes it, does not have, or with another encoding than the family's own.
bool is_of_another_kind(const std::string& name) {
  for (const char* prefix : {"positions_", "simplified_", "v32_", "youtu_", "glm4_", "mistral4_", "longcat_"})
    if (name.starts_with(prefix) && name != "positions_rope_decoupled") return true;
  return name == "llama_alibi" || name == "llama_learned" || name == "gpt2_alibi";
}

double largest_difference(std::shared_ptr<const Model> model, const std::filesystem::path& folder) {
  const auto prompt = read_json_file(folder / "reference.json")["prompt_ids"].get<std::vector<TokenId>>();
  const NpyArray expected = read_npy(folder / "logits.npy");
  Session session(std::move(model), {.threads = 1, .batch = 64});
  std::vector<float> found;
  session.evaluate_all(prompt, [&](std::size_t, std::span<const float> logits) {
    found.insert(found.end(), logits.begin(), logits.end());
  });
  if (found.size() != expected.values.size()) return HUGE_VAL;
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::fabs(double{found[i]} - double{expected.values[i]});
    largest = difference <= largest ? largest : difference;
  }
  return largest;
}

}  // namespace

TEST_CASE("a checkpoint made into a GGUF file is the same function", "[convert]") {
  const Quantization& whole = *find_quantization("f32");
  std::size_t converted = 0;
  for (const std::filesystem::path& folder : checkpoints()) {
    const std::string name = folder.filename().string();
    if (is_of_another_kind(name) || kRefused.contains(name)) continue;
    INFO(name);
    const ScratchFolder scratch;
    const std::filesystem::path file = scratch.path() / "m.gguf";
    convert(plan_conversion(folder, whole), whole, file, {.threads = 2, .progress = {}});
    const auto model = Model::load(file, {.precision = Precision::f32});
    // The correction of a rotary table passes through float32 factors.
    REQUIRE(largest_difference(model, folder) < 1e-4);
    ++converted;
  }
  REQUIRE(converted > 30);
}

TEST_CASE("what GGUF has no form for is refused by name", "[convert]") {
  const Quantization& whole = *find_quantization("f32");
  for (const std::filesystem::path& folder : checkpoints()) {
    const std::string name = folder.filename().string();
    const auto refused = kRefused.find(name);
    if (refused == kRefused.end() && !is_of_another_kind(name)) continue;
    INFO(name);
    const Error error = thrown_by([&] { plan_conversion(folder, whole); });
    REQUIRE(error.code() == ErrorCode::unsupported);
    if (refused != kRefused.end()) REQUIRE(error.field() == refused->second);
  }
}
