#include "model/gguf_metadata_keys.h"

#include <algorithm>

#include "model/config_reading.h"
#include "model/gguf_names.h"

namespace mla {
namespace {

constexpr std::string_view kArchitectureKey = "general.architecture";

std::string known_architectures() {
  std::string known;
  for (const std::string_view name : gguf_architectures())
    known.append(known.empty() ? "" : ", ").append(name);
  return known;
}

}  // namespace

GgufKeys::GgufKeys(const GgufParts& parts) : parts_(parts) {
  const std::optional<std::string_view> name = file().string(kArchitectureKey);
  if (!name) file().fail(kArchitectureKey, "missing, expected one of " + known_architectures());
  architecture_ = *name;
  if (std::ranges::count(gguf_architectures(), architecture_) == 0) {
    file().unsupported(
        kArchitectureKey,
        std::string("found \"").append(architecture_).append("\", expected one of ") + known_architectures());
  }
}

std::string GgufKeys::name_of(std::string_view key) const {
  return std::string(architecture_).append(".").append(key);
}

std::string GgufKeys::full(std::string_view key) {
  return *read_.insert(name_of(key)).first;
}

bool GgufKeys::has(std::string_view key) const {
  return file().find(name_of(key)) != nullptr;
}

std::optional<std::size_t> GgufKeys::find_size(std::string_view key, std::int64_t least) {
  const std::optional<std::int64_t> value = file().integer(full(key), least, kGreatestSize);
  return value ? std::optional(static_cast<std::size_t>(*value)) : std::nullopt;
}

std::size_t GgufKeys::size(std::string_view key, std::int64_t least) {
  const std::optional<std::size_t> value = find_size(key, least);
  if (!value) fail(key, "missing");
  return *value;
}

std::size_t GgufKeys::size_of_layers(std::string_view key, std::size_t layers, std::int64_t least) {
  const std::string name = full(key);
  const GgufValue* const found = file().find(name);
  if (found == nullptr || found->type != GgufType::array) return size(key, least);
  const GgufValue::Integers& values = *file().integers(name);
  if (values.size() != layers)
    fail(key, "found " + std::to_string(values.size()) + " values, expected one for each of " +
                  std::to_string(layers) + " layers");
  const auto [lowest, highest] = std::ranges::minmax(values);
  if (lowest != highest)
    unsupported(key, "found values from " + std::to_string(lowest) + " to " + std::to_string(highest) +
                         ", expected the same in all layers");
  if (lowest < least || lowest > kGreatestSize)
    fail(key, "found " + std::to_string(lowest) + ", expected " + std::to_string(least) + " to " +
                  std::to_string(kGreatestSize));
  return static_cast<std::size_t>(lowest);
}

std::optional<double> GgufKeys::find_number(std::string_view key) {
  return file().number(full(key));
}

double GgufKeys::number(std::string_view key) {
  const std::optional<double> value = find_number(key);
  if (!value) fail(key, "missing");
  return *value;
}

std::optional<bool> GgufKeys::find_flag(std::string_view key) {
  return file().boolean(full(key));
}

std::optional<std::string_view> GgufKeys::find_text(std::string_view key) {
  return file().string(full(key));
}

void GgufKeys::expect_number(std::string_view key, double neutral) {
  const std::optional<double> value = find_number(key);
  if (value && *value != neutral)
    unsupported(key, "found " + std::to_string(*value) + ", expected " + std::to_string(neutral));
}

void GgufKeys::expect_size(std::string_view key, std::int64_t neutral) {
  const std::optional<std::size_t> value = find_size(key, 0);
  if (value && *value != static_cast<std::size_t>(neutral))
    unsupported(key, "found " + std::to_string(*value) + ", expected " + std::to_string(neutral));
}

void GgufKeys::fail(std::string_view key, const std::string& message) const {
  file().fail(name_of(key), message);
}

void GgufKeys::unsupported(std::string_view key, const std::string& message) const {
  file().unsupported(name_of(key), message);
}

std::vector<std::string> GgufKeys::unread() const {
  static const std::set<std::string_view> form = {"general.alignment", "general.architecture",
                                                  "general.file_type", "general.quantization_version"};
  std::vector<std::string> keys;
  for (const auto& [key, value] : file().metadata()) {
    const bool elsewhere = form.contains(key) || key.starts_with("tokenizer.") || key.starts_with("split.") ||
                           key.starts_with("general.sampling.");
    if (!elsewhere && !read_.contains(key)) keys.emplace_back(key);
  }
  return keys;
}

}  // namespace mla
