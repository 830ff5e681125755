// The JSON of a safetensors header, read event by event: a header of 100,000 tensors is not built as a
// document.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mla {

/// A tensor as the JSON has it: fields of the right type, values unchecked.
struct RawSafetensorsEntry {
  std::string name;
  std::string dtype;
  std::vector<std::size_t> shape;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Appends the tensors in the order of the header, repeated names included, and fills `metadata`. Throws
/// Error(format) that names `file` and the field.
void read_safetensors_json(std::string_view json, const std::string& file,
                           std::vector<RawSafetensorsEntry>& entries,
                           std::map<std::string, std::string>& metadata);

}  // namespace mla
