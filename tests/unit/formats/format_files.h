// Files for the tests of formats: a folder that vanishes, and small safetensors files, well-formed or not.
#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "mla/error.h"

namespace format_files {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "mla-formats-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

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

/// The Error that `callable` throws; fails the test if it throws none.
template <typename Callable>
mla::Error error_of(Callable&& callable) {
  try {
    callable();
  } catch (const mla::Error& error) {
    return error;
  }
  FAIL("no Error was thrown");
  throw std::logic_error("unreachable");
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace format_files
