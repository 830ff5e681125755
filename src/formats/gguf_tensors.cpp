#include "formats/gguf_tensors.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "tensor/dtype.h"

namespace mla {
namespace {

constexpr std::uint32_t kMaxDimensions = 4;  // ggml's GGML_MAX_DIMS.
constexpr std::size_t kMaxTensorName = 64;   // As the format's description has it.

struct GgmlType {
  std::uint32_t number;
  std::string_view name;
};

/// The types of ggml (enum ggml_type in ggml.h), those that mla does not compute with included.
constexpr std::array kGgmlTypes = {
    GgmlType{0, "F32"},      GgmlType{1, "F16"},     GgmlType{2, "Q4_0"},     GgmlType{3, "Q4_1"},
    GgmlType{6, "Q5_0"},     GgmlType{7, "Q5_1"},    GgmlType{8, "Q8_0"},     GgmlType{9, "Q8_1"},
    GgmlType{10, "Q2_K"},    GgmlType{11, "Q3_K"},   GgmlType{12, "Q4_K"},    GgmlType{13, "Q5_K"},
    GgmlType{14, "Q6_K"},    GgmlType{15, "Q8_K"},   GgmlType{16, "IQ2_XXS"}, GgmlType{17, "IQ2_XS"},
    GgmlType{18, "IQ3_XXS"}, GgmlType{19, "IQ1_S"},  GgmlType{20, "IQ4_NL"},  GgmlType{21, "IQ3_S"},
    GgmlType{22, "IQ2_S"},   GgmlType{23, "IQ4_XS"}, GgmlType{24, "I8"},      GgmlType{25, "I16"},
    GgmlType{26, "I32"},     GgmlType{27, "I64"},    GgmlType{28, "F64"},     GgmlType{29, "IQ1_M"},
    GgmlType{30, "BF16"},    GgmlType{34, "TQ1_0"},  GgmlType{35, "TQ2_0"},   GgmlType{39, "MXFP4"},
    GgmlType{40, "NVFP4"},   GgmlType{41, "Q1_0"},
};

struct TensorInfo {
  GgufTensor tensor;
  std::uint64_t offset;  ///< From the beginning of the data.
  std::size_t bytes;
};

std::string known_types() {
  std::string names;
  for (const GgmlType& type : kGgmlTypes)
    if (find_dtype(type.name)) names.append(names.empty() ? "" : ", ").append(type.name);
  return names;
}

DType take_dtype(GgufReader& in, std::string_view tensor) {
  const auto number = in.take<std::uint32_t>(tensor);
  const auto* const known = std::find_if(kGgmlTypes.begin(), kGgmlTypes.end(),
                                         [&](const GgmlType& type) { return type.number == number; });
  std::optional<DType> dtype;
  if (known != kGgmlTypes.end()) dtype = find_dtype(known->name);
  if (dtype) return *dtype;
  std::string found = "found the unknown tensor type " + std::to_string(number);
  if (known != kGgmlTypes.end()) found = std::string("found tensor type ").append(known->name);
  in.unsupported(tensor, found + ", expected one of " + known_types());
}

std::vector<std::size_t> take_shape(GgufReader& in, std::string_view tensor) {
  const auto rank = in.take<std::uint32_t>(tensor);
  if (rank > kMaxDimensions)
    in.fail(tensor, "found " + std::to_string(rank) + " dimensions, expected at most " +
                        std::to_string(kMaxDimensions));
  std::vector<std::size_t> shape(rank);
  for (std::size_t& dimension : shape) dimension = in.take<std::uint64_t>(tensor);
  std::reverse(shape.begin(), shape.end());
  return shape;
}

TensorInfo take_info(GgufReader& in, std::size_t index) {
  TensorInfo info;
  info.tensor.name = in.take_name("tensor " + std::to_string(index), kMaxTensorName);
  const std::string_view name = info.tensor.name;
  info.tensor.shape = take_shape(in, name);
  const DType dtype = take_dtype(in, name);
  info.tensor.dtype = dtype_name(dtype);
  info.offset = in.take<std::uint64_t>(name);

  const std::vector<std::size_t>& shape = info.tensor.shape;
  const std::size_t cols = shape.empty() ? 1 : shape.back();
  const std::size_t block = dtype_traits(dtype).block_elements;
  if (cols % block != 0)
    in.fail(name, "found rows of " + std::to_string(cols) + " elements, expected a multiple of " +
                      std::to_string(block) + ", a block of " + std::string(info.tensor.dtype));
  const std::optional<std::size_t> bytes = byte_size(dtype, shape);
  if (!bytes) in.fail(name, "found dimensions whose product does not fit into 64 bits");
  info.bytes = *bytes;
  return info;
}

/// Gives each tensor its bytes of `data`.
void place(std::vector<TensorInfo>& infos, std::size_t alignment, std::span<const std::byte> data,
           const GgufReader& in) {
  for (TensorInfo& info : infos) {
    if (info.offset % alignment != 0)
      in.fail(info.tensor.name, "found offset " + std::to_string(info.offset) +
                                    ", expected a multiple of the alignment " + std::to_string(alignment));
    if (info.offset > data.size() || info.bytes > data.size() - info.offset) {
      in.fail(info.tensor.name, "found " + std::to_string(info.bytes) + " bytes at offset " +
                                    std::to_string(info.offset) + ", expected them within the " +
                                    std::to_string(data.size()) + " bytes of data (is the file truncated?)");
    }
    info.tensor.data = data.subspan(info.offset, info.bytes);
  }
}

void refuse_overlaps(const std::vector<TensorInfo>& infos, const GgufReader& in) {
  std::vector<const TensorInfo*> by_offset;
  for (const TensorInfo& info : infos)
    if (info.bytes > 0) by_offset.push_back(&info);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const TensorInfo* a, const TensorInfo* b) { return a->offset < b->offset; });
  const auto shared = std::adjacent_find(
      by_offset.begin(), by_offset.end(),
      [](const TensorInfo* a, const TensorInfo* b) { return b->offset - a->offset < a->bytes; });
  if (shared != by_offset.end())
    in.fail((*std::next(shared))->tensor.name,
            "found its data within those of " + std::string((*shared)->tensor.name));
}

}  // namespace

std::vector<GgufTensor> read_gguf_tensors(GgufReader& in, std::size_t count, std::size_t alignment,
                                          std::span<const std::byte> file) {
  std::vector<TensorInfo> infos;
  infos.reserve(count);
  for (std::size_t i = 0; i < count; ++i) infos.push_back(take_info(in, i));
  const std::size_t begin = (in.position() + alignment - 1) / alignment * alignment;
  place(infos, alignment, begin < file.size() ? file.subspan(begin) : file.subspan(file.size()), in);
  refuse_overlaps(infos, in);
  std::vector<GgufTensor> tensors;
  tensors.reserve(count);
  for (TensorInfo& info : infos) tensors.push_back(std::move(info.tensor));
  return tensors;
}

std::optional<std::uint32_t> gguf_type_number(DType dtype) {
  for (const GgmlType& type : kGgmlTypes)
    if (type.name == dtype_name(dtype)) return type.number;
  return std::nullopt;
}

}  // namespace mla
