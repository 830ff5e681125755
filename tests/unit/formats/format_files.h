// Files for the tests of formats: a folder that vanishes, and small safetensors files, well-formed or not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"

namespace format_files {

using Folder = ScratchFolder;

/// A safetensors file of that header and data, nothing checked.
inline std::string safetensors(const std::string& header, const std::string& data = "") {
  std::string file;
  for (int i = 0; i < 8; ++i)
    file += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * i) & 0xffU);
  return file + header + data;
}

struct Tensor {
  std::string name;
  std::string dtype;
  std::string shape;  // "[2, 3]"
  std::string data;
};

/// A well-formed safetensors file.
inline std::string safetensors(const std::vector<Tensor>& tensors) {
  std::string header;
  std::string data;
  for (const Tensor& tensor : tensors) {
    header += header.empty() ? "{" : ",";
    header += "\"" + tensor.name + "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":" + tensor.shape +
              ",\"data_offsets\":[" + std::to_string(data.size()) + "," +
              std::to_string(data.size() + tensor.data.size()) + "]}";
    data += tensor.data;
  }
  return safetensors(header.empty() ? "{}" : header + "}", data);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace format_files
