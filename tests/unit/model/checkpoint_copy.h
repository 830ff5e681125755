// Golden checkpoints taken apart, changed and put together again.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/checkpoint.h"
#include "unit/formats/format_files.h"

namespace checkpoint_copy {

using format_files::Tensor;

/// A checkpoint with one file of weights.
struct Copy {
  mla::Json config;
  std::vector<Tensor> tensors;

  explicit Copy(const std::string& golden) {
    const std::string folder = std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + golden;
    config = mla::read_json_file(folder + "/config.json");
    const mla::Checkpoint checkpoint(folder);
    for (const mla::CheckpointTensor& tensor : checkpoint.tensors()) {
      const mla::TensorView view = tensor.view();
      tensors.push_back({tensor.name, std::string(tensor.dtype), mla::to_string(view.shape),
                         std::string(reinterpret_cast<const char*>(view.data), view.bytes())});
    }
  }

  Tensor& at(const std::string& name) {
    for (Tensor& tensor : tensors)
      if (tensor.name == name) return tensor;
    throw std::out_of_range(name);
  }

  void write(const format_files::Folder& folder) const {
    folder.write("config.json", config.dump());
    folder.write("model.safetensors", format_files::safetensors(tensors));
  }
};

/// The bytes of float32 values.
inline std::string floats(const std::vector<float>& values) {
  std::string bytes;
  for (const float value : values)
    for (unsigned shift = 0; shift < 32; shift += 8)
      bytes += static_cast<char>(std::bit_cast<std::uint32_t>(value) >> shift & 0xffU);
  return bytes;
}

}  // namespace checkpoint_copy
