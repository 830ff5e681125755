#include "convert/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "mla/error.h"
#include "tensor/quantize.h"

namespace mla {
namespace {

constexpr std::size_t kItemElements = std::size_t{1} << 16;  // What one thread takes at a time.
constexpr std::size_t kSlabElements = std::size_t{1} << 22;  // What is written at a time.

[[noreturn]] void refuse_row(const PlannedTensor& tensor, std::size_t row, std::span<const float> values,
                             DType dtype) {
  const auto odd =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  std::string message = "row " + std::to_string(row) + ": ";
  if (odd != values.end())
    message += std::string("found ") + (std::isnan(*odd) ? "NaN" : "infinity") + " in column " +
               std::to_string(odd - values.begin()) + ", expected finite weights";
  else
    message += "the weights are too large for " + std::string(dtype_name(dtype));
  throw Error(ErrorCode::format, tensor.file, tensor.source, message);
}

/// Writes one tensor in slabs of whole rows.
class TensorConverter {
 public:
  TensorConverter(const PlannedTensor& tensor, DType dtype, ThreadPool& pool)
      : tensor_(tensor),
        dtype_(dtype),
        pool_(pool),
        cols_(tensor.cols()),
        rows_(static_cast<std::size_t>(pool.size())) {}

  template <typename Progress>
  void write(GgufWriter& writer, const Progress& progress) {
    const std::size_t rows = tensor_.rows();
    if (cols_ == 0 || rows == 0) return;
    row_bytes_ =
        *byte_size(dtype_, std::span(&cols_, 1));  // Rows that are there are no longer than their tensor.
    const std::size_t slab = std::max<std::size_t>(1, kSlabElements / cols_);
    for (std::size_t first = 0; first < rows; first += slab) {
      encode(first, std::min(slab, rows - first));
      writer.write(encoded_);
      progress(encoded_.size());
    }
  }

 private:
  void encode(std::size_t first, std::size_t count) {
    encoded_.resize(count * row_bytes_);
    const std::size_t step = std::max<std::size_t>(1, kItemElements / cols_);
    pool_.parallel_for((count + step - 1) / step, [&](std::size_t item, int worker) {
      for (std::size_t i = item * step; i < std::min(count, (item + 1) * step); ++i)
        encode_one(first + i, rows_[static_cast<std::size_t>(worker)],
                   std::span(encoded_).subspan(i * row_bytes_, row_bytes_));
    });
  }

  void encode_one(std::size_t row, std::vector<float>& values, std::span<std::byte> out) const {
    values.resize(cols_);
    tensor_.read_row(row, values);
    const bool as_it_is = dtype_ == tensor_.own_type && !tensor_.data.empty();
    // Rows that are copied are looked at as well: a file with NaN in it is no model.
    const bool fits =
        as_it_is ? std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })
                 : encode_row(dtype_, values, out);
    if (!fits) refuse_row(tensor_, row, values, dtype_);
    if (as_it_is) std::memcpy(out.data(), tensor_.data.data() + row * row_bytes_, row_bytes_);
  }

  const PlannedTensor& tensor_;
  DType dtype_;
  ThreadPool& pool_;
  std::size_t cols_;
  std::size_t row_bytes_ = 0;
  std::vector<std::vector<float>> rows_;  ///< One for each worker.
  std::vector<std::byte> encoded_;
};

std::vector<DType> types_of(const ConversionPlan& plan, const Quantization& quantization) {
  std::vector<MixtureTensor> tensors;
  for (const PlannedTensor& tensor : plan.tensors) tensors.push_back({tensor.name, tensor.shape});
  const auto chosen = choose_types(quantization, tensors, plan.model);
  std::vector<DType> types;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    types.push_back(chosen[i].value_or(plan.tensors[i].own_type));
  return types;
}

}  // namespace

ConversionSummary convert(const ConversionPlan& plan, const Quantization& quantization,
                          const std::filesystem::path& output, const ConversionOptions& options) {
  const std::vector<DType> types = types_of(plan, quantization);
  std::vector<GgufTensorInfo> infos;
  for (std::size_t i = 0; i < types.size(); ++i)
    infos.push_back({plan.tensors[i].name, types[i], plan.tensors[i].shape});
  GgufWriter writer(output, plan.metadata, infos, plan.alignment);

  ConversionSummary summary;
  summary.file_bytes = writer.bytes();
  for (const GgufTensorInfo& info : infos) {
    const std::size_t bytes = *byte_size(info.dtype, info.shape);
    summary.elements += *element_count(info.shape);
    summary.tensor_bytes += bytes;
    DTypeUse& use = summary.dtypes[dtype_name(info.dtype)];
    ++use.tensors;
    use.bytes += bytes;
  }

  ThreadPool pool(options.threads == 0 ? default_thread_count() : options.threads);
  std::size_t done = 0;
  for (std::size_t i = 0; i < types.size(); ++i)
    TensorConverter(plan.tensors[i], types[i], pool).write(writer, [&](std::size_t bytes) {
      done += bytes;
      if (options.progress) options.progress(done, summary.tensor_bytes);
    });
  writer.commit();
  return summary;
}

}  // namespace mla
