#include "model/config_reading.h"

#include <algorithm>

#include "positional/registry.h"

namespace mla {

std::size_t read_size(const JsonField& config, const char* key, std::int64_t least) {
  return static_cast<std::size_t>(config.get(key).as_int(least, kGreatestSize));
}

std::size_t read_size_or(const JsonField& config, const char* key, std::size_t otherwise,
                         std::int64_t least) {
  return config.has(key) ? read_size(config, key, least) : otherwise;
}

bool read_bool_or(const JsonField& config, const char* key, bool otherwise) {
  const auto field = config.find(key);
  return field ? field->as_bool() : otherwise;
}

bool read_nullable_bool_or(const JsonField& config, const char* key, bool otherwise) {
  const bool is_null = config.json().contains(key) && !config.has(key);
  return !is_null && read_bool_or(config, key, otherwise);
}

float read_epsilon_or(const JsonField& config, const char* key, float otherwise) {
  const auto field = config.find(key);
  return field ? static_cast<float>(field->as_number(0.0, 1.0)) : otherwise;
}

void expect_text(const JsonField& config, const char* key, std::string_view expected) {
  const auto field = config.find(key);
  if (field && field->as_string() != expected)
    field->unsupported("found \"" + field->as_string() + "\", expected \"" + std::string(expected) + "\"");
}

void expect_size(const JsonField& config, const char* key, std::size_t expected) {
  const auto field = config.find(key);
  if (field && read_size(config, key, 0) != expected)
    field->unsupported("found " + field->json().dump() + ", expected " + std::to_string(expected));
}

void check_causal(const JsonField& config) {
  if (!config.json().contains("is_causal")) return;
  const JsonField field = config.get("is_causal");
  if (field.json().is_null() || !field.as_bool())
    field.unsupported("found " + field.json().dump() + ", expected true");
}

std::string read_position_encoding(const JsonField& config, std::string_view otherwise) {
  const auto field = config.find("position_encoding");
  if (!field) return std::string(otherwise);
  if (find_encoding(field->as_string()) == nullptr)
    field->unsupported("found \"" + field->as_string() + "\", expected one of " + encoding_names());
  return field->as_string();
}

Fp8Blocks read_quantization(const JsonField& config) {
  Fp8Blocks result;
  const auto quantization = config.find("quantization_config");
  if (!quantization) return result;
  if (quantization->expect_object().json().empty()) return result;
  quantization->get("quant_method").as_string();
  expect_text(*quantization, "quant_method", "fp8");
  expect_text(*quantization, "fmt", "e4m3");
  expect_text(*quantization, "activation_scheme", "dynamic");
  const auto blocks = quantization->find("weight_block_size");
  if (!blocks) return result;
  if (blocks->array_size() != 2) blocks->fail("expected two block sizes");
  result.rows = static_cast<std::size_t>(blocks->element(0).as_int(1, kGreatestSize));
  result.cols = static_cast<std::size_t>(blocks->element(1).as_int(1, kGreatestSize));
  return result;
}

void check_dtype(const JsonField& config) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    const auto field = config.find(key);
    if (!field) continue;
    static const std::set<std::string, std::less<>> known = {"float32", "float16", "bfloat16",
                                                             "float8_e4m3fn"};
    if (!known.contains(field->as_string()))
      field->unsupported("found \"" + field->as_string() +
                         "\", expected float32, float16, bfloat16 or float8_e4m3fn");
  }
}

std::size_t max_context(const RopeScaling& rope, std::size_t max_position_embeddings) {
  if (rope.type != RopeType::dynamic) return max_position_embeddings;
  const double stretched = static_cast<double>(max_position_embeddings) * std::max(rope.factor, 1.0);
  return static_cast<std::size_t>(std::min(stretched, static_cast<double>(kGreatestSize)));
}

std::vector<std::string> unread_keys(const JsonField& config, const std::set<std::string_view>& read) {
  static const std::set<std::string_view> everywhere = {
      "model_type",        "architectures",       "vocab_size", "tie_word_embeddings",
      "position_encoding", "quantization_config", "dtype",      "torch_dtype",
      "bos_token_id",      "eos_token_id",        "is_causal"};
  std::vector<std::string> unread;
  for (const auto& item : config.json().items())
    if (!everywhere.contains(item.key()) && !read.contains(item.key())) unread.push_back(item.key());
  return unread;
}

}  // namespace mla
