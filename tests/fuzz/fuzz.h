// What a fuzz target is: a reader fed with any bytes. The only exception that it may let out is mla::Error; anything else,
// and whatever the sanitizers see, is a finding.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "unit/base/scratch_folder.h"

namespace mla::fuzz {

struct Target {
  /// Single allocations may be as large as this and kAllocationPerByte for each byte of input together.
  std::size_t allocation_base = std::size_t{64} << 10;
  void (*run)(std::string_view input) = nullptr;
};

inline constexpr std::size_t kAllocationPerByte = 64;

/// One run. Aborts at a finding that no sanitizer sees: an allocation that is too large, more than a second of processor
/// time, an Error that is no single line or names no file. Returns the Error's text; nothing if the input was taken.
std::string run_once(std::string_view input);

/// Each program links the one target that defines it.
extern const Target kTarget;

/// A file whose content is the input, written anew for each run. It stands in a folder of its own.
class InputFile {
 public:
  explicit InputFile(const char* name);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  void put(std::string_view content);
  const std::filesystem::path& path() const { return path_; }
  /// The folder, for other files beside it.
  const ScratchFolder& folder() const { return folder_; }

 private:
  ScratchFolder folder_;
  std::filesystem::path path_;
  int descriptor_;
  std::size_t size_ = 0;
};

/// Reads every byte, so that a view beyond its memory is seen.
void touch(std::span<const std::byte> bytes);
inline void touch(std::span<const float> values) {
  touch(std::as_bytes(values));
}
inline void touch(std::string_view text) {
  touch(std::as_bytes(std::span(text)));
}

/// The folder tests/fuzz/corpus.
std::filesystem::path corpus();

}  // namespace mla::fuzz
