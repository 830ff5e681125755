// What a GGUF file is to hold: its metadata, and for each tensor where the values come from.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convert/mixture.h"
#include "formats/gguf_writer.h"
#include "tensor/dtype.h"

namespace mla {

struct PlannedTensor {
  std::string name;                ///< In the new file.
  std::vector<std::size_t> shape;  ///< Outermost dimension first.
  std::string source;              ///< Name in the source, for errors.
  std::string file;                ///< Where it lies, for errors.

  /// Its type where the mixture leaves it alone.
  DType own_type = DType::f32;
  /// Its data in `own_type` if they need no change, else empty.
  std::span<const std::byte> data;
  /// Row `index` of the matrix of shape.back() columns, as floats. Any thread may call it.
  std::function<void(std::size_t index, std::span<float> row)> read_row;

  std::size_t cols() const { return shape.empty() ? 1 : shape.back(); }
  std::size_t rows() const;
};

struct ConversionPlan {
  std::string source;                 ///< The path as given.
  std::size_t source_bytes = 0;       ///< Of all its tensors.
  std::shared_ptr<const void> owner;  ///< Keeps what the tensors read from.
  GgufMetadata metadata;
  std::size_t alignment = 32;
  MixtureModel model;
  std::vector<PlannedTensor> tensors;
};

/// Looks at a model and plans its file. Reads no weights, but throws whatever can be said against the source: Error (io,
/// format, mismatch), and Error(unsupported) that names what GGUF, or mla, has no form for.
ConversionPlan plan_conversion(const std::filesystem::path& source, const Quantization& quantization);

/// A GGUF file, or any of the files of a model that was split: the metadata stay as they are, but for the file's type.
ConversionPlan plan_gguf(const std::filesystem::path& file, const Quantization& quantization);

/// A Hugging Face folder: names, metadata and tokenizer as llama.cpp's convert_hf_to_gguf.py would write them.
ConversionPlan plan_folder(const std::filesystem::path& folder, const Quantization& quantization);

}  // namespace mla
