// Runs a fuzz target on stored inputs: what any compiler can build, for the tests. Arguments are files and folders of files.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"

namespace {

std::vector<std::filesystem::path> files_of(int count, char** arguments) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < count; ++i) {
    if (!std::filesystem::is_directory(arguments[i])) {
      files.emplace_back(arguments[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::filesystem::path> files = files_of(count, arguments);
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    std::printf("%s: ", file.c_str());
    std::fflush(stdout);  // The last one named is the one that failed.
    // Bytes that end where their memory does: what reads beyond them is seen.
    const std::vector<char> bytes(content.begin(), content.end());
    const std::string refused = mla::fuzz::run_once({bytes.data(), bytes.size()});
    std::printf("%s\n", refused.empty() ? "taken" : refused.c_str());
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
