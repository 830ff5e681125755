#include "model/generation_config.h"

#include <cstdint>
#include <limits>

#include "base/file.h"

namespace mla {
namespace {

std::optional<double> read_number(const JsonField& json, const char* key, double least, double greatest) {
  const auto field = json.find(key);
  if (!field) return std::nullopt;
  return field->as_number(least, greatest);
}

/// The last id of the vocabulary; where the config does not say how many there are, whoever builds the model refuses it.
std::int64_t last_id(const JsonField& config) {
  constexpr std::int64_t kMost = std::numeric_limits<TokenId>::max();
  const auto size = config.find("vocab_size");
  return size ? size->as_int(1, kMost) - 1 : kMost;
}

/// One id or a list of them, up to `greatest`.
void read_ids(const JsonField& json, std::int64_t greatest, GenerationConfig& result) {
  if (const auto bos = json.find("bos_token_id"))
    result.bos_token_id = static_cast<TokenId>(bos->as_int(0, greatest));
  const auto eos = json.find("eos_token_id");
  if (!eos) return;
  result.eos_token_ids.clear();
  if (!eos->json().is_array()) {
    result.eos_token_ids.push_back(static_cast<TokenId>(eos->as_int(0, greatest)));
    return;
  }
  for (std::size_t i = 0; i < eos->array_size(); ++i)
    result.eos_token_ids.push_back(static_cast<TokenId>(eos->element(i).as_int(0, greatest)));
}

}  // namespace

GenerationConfig read_generation_config(const std::filesystem::path& folder, const JsonField& config) {
  GenerationConfig result;
  const std::int64_t greatest = last_id(config);
  read_ids(config, greatest, result);
  const std::filesystem::path path = folder / "generation_config.json";
  if (!is_present(path)) return result;

  const Json document = read_json_file(path, kMaxConfigBytes);
  const JsonField json(document, path.string());
  json.expect_object();
  read_ids(json, greatest, result);
  constexpr double kGreatest = 1e6;
  if (const auto field = json.find("do_sample")) result.do_sample = field->as_bool();
  if (const auto field = json.find("top_k"))
    result.top_k = field->as_int(0, std::numeric_limits<std::int32_t>::max());
  result.temperature = read_number(json, "temperature", 0.0, kGreatest);
  result.top_p = read_number(json, "top_p", 0.0, 1.0);
  result.min_p = read_number(json, "min_p", 0.0, 1.0);
  result.typical_p = read_number(json, "typical_p", 0.0, 1.0);
  result.repetition_penalty = read_number(json, "repetition_penalty", 1e-3, kGreatest);
  return result;
}

}  // namespace mla
