#include "formats/gguf_parts.h"

#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "mla/error.h"

namespace mla {
namespace {

constexpr std::string_view kNumberKey = "split.no";  // From 0.
constexpr std::string_view kCountKey = "split.count";
constexpr std::string_view kTensorsKey = "split.tensors.count";
constexpr std::int64_t kMaxParts = 65535;  // Both are uint16.
constexpr std::int64_t kMaxTensors = std::int64_t{1} << 31;

std::string five_digits(std::size_t number) {
  std::string digits = std::to_string(number);
  return digits.size() < 5 ? digits.insert(0, 5 - digits.size(), '0') : digits;
}

/// How the name of part `index` (from 0) ends.
std::string part_suffix(std::size_t index, std::size_t count) {
  return std::string("-")
      .append(five_digits(index + 1))
      .append("-of-")
      .append(five_digits(count))
      .append(".gguf");
}

std::int64_t required(const GgufFile& file, std::string_view key, std::int64_t greatest) {
  const std::optional<std::int64_t> value = file.integer(key, 0, greatest);
  if (!value) file.fail(key, "found no such key, expected it in a part of a split model");
  return *value;
}

void expect(const GgufFile& file, std::string_view key, std::int64_t greatest, std::size_t expected,
            const char* why) {
  const std::int64_t found = required(file, key, greatest);
  if (found != static_cast<std::int64_t>(expected))
    file.fail(key, "found " + std::to_string(found) + ", expected " + std::to_string(expected) + why);
}

std::unique_ptr<const GgufFile> open_part(const std::filesystem::path& path, const std::string& opened) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(
        ErrorCode::io, path.string(), "",
        std::string("found no such file, expected the part of the model that belongs to ").append(opened));
  }
  return std::make_unique<const GgufFile>(path);
}

}  // namespace

GgufParts::GgufParts(const std::filesystem::path& any_part) {
  auto opened = std::make_unique<const GgufFile>(any_part);
  const std::int64_t count = opened->integer(kCountKey, 0, kMaxParts).value_or(0);
  if (count <= 1) {
    files_.push_back(std::move(opened));
    return;
  }
  open_siblings(std::move(opened), static_cast<std::size_t>(count));
  refuse_tensors_in_two_parts();
}

void GgufParts::open_siblings(std::unique_ptr<const GgufFile> opened, std::size_t count) {
  const std::filesystem::path path = opened->name();
  const auto number = static_cast<std::size_t>(required(*opened, kNumberKey, kMaxParts));
  const std::string name = path.filename().string();
  const std::string suffix = part_suffix(number, count);
  if (number >= count || name.size() < suffix.size() ||
      name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
    opened->fail(kNumberKey, "found part " + std::to_string(number) + " (from 0) of " +
                                 std::to_string(count) + ", expected a file name that ends in " + suffix);
  const std::string stem = name.substr(0, name.size() - suffix.size());
  const std::string opened_name = opened->name();
  std::size_t tensors = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i == number)
      files_.push_back(std::move(opened));
    else
      files_.push_back(open_part(path.parent_path() / (stem + part_suffix(i, count)), opened_name));
    expect(*files_.back(), kNumberKey, kMaxParts, i, " as in the file's name, counted from 0");
    expect(*files_.back(), kCountKey, kMaxParts, count, " as in the file's name");
    tensors += files_.back()->tensors().size();
  }
  for (const auto& file : files_)
    expect(*file, kTensorsKey, kMaxTensors, tensors, ", the tensors in all parts");
}

void GgufParts::refuse_tensors_in_two_parts() const {
  for (std::size_t i = 1; i < files_.size(); ++i) {
    for (const GgufTensor& tensor : files_[i]->tensors()) {
      for (std::size_t before = 0; before < i; ++before) {
        if (files_[before]->find_tensor(tensor.name) != nullptr)
          files_[i]->fail(tensor.name,
                          std::string("found the tensor also in ").append(files_[before]->name()));
      }
    }
  }
}

GgufParts::Found GgufParts::find_tensor(std::string_view name) const {
  for (const auto& file : files_)
    if (const GgufTensor* const tensor = file->find_tensor(name)) return {file.get(), tensor};
  return {};
}

}  // namespace mla
