#include "formats/gguf_location.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "mla/error.h"

namespace mla {
namespace {

/// The part's name without "-00001-of-00003.gguf", or the file's without ".gguf".
std::string model_name(const std::filesystem::path& file) {
  std::string name = file.stem().string();
  constexpr std::size_t kSuffix = 15;  // -00001-of-00003
  if (name.size() <= kSuffix) return name;
  const std::string_view suffix = std::string_view(name).substr(name.size() - kSuffix);
  const auto digits = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (suffix[0] == '-' && digits(suffix.substr(1, 5)) && suffix.substr(6, 4) == "-of-" &&
      digits(suffix.substr(10)))
    name.erase(name.size() - kSuffix);
  return name;
}

}  // namespace

bool has_gguf_magic(const std::filesystem::path& file) {
  constexpr std::string_view kMagic = "GGUF";
  std::ifstream in(file, std::ios::binary);
  std::array<char, kMagic.size()> first{};
  in.read(first.data(), first.size());
  return in && std::string_view(first.data(), first.size()) == kMagic;
}

std::optional<std::filesystem::path> find_gguf(const std::filesystem::path& folder,
                                               const std::string& missing) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".gguf") files.push_back(entry->path());
  std::ranges::sort(files);
  if (files.empty()) return std::nullopt;
  for (const std::filesystem::path& file : files) {
    if (model_name(file) != model_name(files.front())) {
      throw Error(ErrorCode::io, folder.string(), "",
                  "found no " + missing + " but several models (" + files.front().filename().string() + ", " +
                      file.filename().string() + "), expected one; name the file");
    }
  }
  return files.front();
}

}  // namespace mla
