// NumPy's .npy files, version 1.0, float32 in C order:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace mla {

/// Writes a float32 array [rows, cols] piece by piece. The file appears at `path` only when `commit`
/// succeeds.
class NpyWriter {
 public:
  /// Throws Error(io).
  NpyWriter(const std::filesystem::path& path, std::size_t rows, std::size_t cols);

  /// The next values in row-major order. Throws Error(argument) if they are more than are left, Error(io).
  void write(std::span<const float> values);

  /// Throws Error(argument) if values are missing, Error(io).
  void commit();

 private:
  std::string name_;
  AtomicFile file_;
  std::size_t left_;
};

struct NpyArray {
  std::vector<std::size_t> shape;  ///< One or two dimensions.
  std::vector<float> values;       ///< Row-major.
};

/// Reads what NpyWriter, or numpy.save of such an array, wrote. Throws Error(io), Error(format) if it is not
/// a whole .npy file of version 1.0, Error(unsupported) if it is one of another dtype, order or rank.
NpyArray read_npy(const std::filesystem::path& path);

}  // namespace mla
