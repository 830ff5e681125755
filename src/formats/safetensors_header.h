// The JSON header of a safetensors file, after the reference implementation of Hugging Face (safetensors
// 0.8).
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mla {

/// A tensor as the header tells of it.
struct SafetensorsEntry {
  std::string name;
  std::string_view
      dtype;  ///< One of the names safetensors knows ("BF16", also those mla does not compute with).
  std::vector<std::size_t> shape;
  std::size_t begin = 0;  ///< Its bytes are [begin, end) of the data behind the header.
  std::size_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;        ///< Sorted by name; names are unique.
  std::map<std::string, std::string> metadata;  ///< `__metadata__`.
};

/// Parses `json` and checks all of it against the `data_bytes` that follow it in the file: each tensor's
/// range is as large as its dtype and shape demand, and together they cover the data without overlap, hole or
/// rest. Fields of a tensor that safetensors does not define are skipped. `file` is for errors. Throws
/// Error(format); Error(unsupported) for a dtype that safetensors 0.8 does not know.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::size_t data_bytes,
                                           const std::string& file);

}  // namespace mla
