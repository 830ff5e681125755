#include "model/weights.h"

#include <algorithm>
#include <cmath>

#include "mla/error.h"
#include "tensor/decode.h"

namespace mla {

TensorView WeightLoader::take(const std::string& name, const Shape& shape) {
  const CheckpointTensor* tensor = checkpoint_.find(name);
  if (tensor == nullptr)
    throw Error(ErrorCode::mismatch, checkpoint_.file_of(name), checkpoint_.shown_name(name),
                "missing, expected shape " + to_string(shape));
  const TensorView view = tensor->view();
  if (view.shape != shape)
    throw Error(ErrorCode::mismatch, checkpoint_.file_of(name), checkpoint_.shown_name(name),
                "found shape " + to_string(view.shape) + ", expected " + to_string(shape));
  taken_.insert(name);
  return view;
}

WeightView WeightLoader::matrix(const std::string& name, const Shape& shape) {
  const TensorView data = take(name, shape);
  parameters_ += data.elements();
  if (data.dtype != DType::f8_e4m3) return {data, std::nullopt};
  const std::string scale_name = name + "_scale_inv";
  const TensorView scale = checkpoint_.view(scale_name);
  taken_.insert(scale_name);
  return block_scaled(data, scale, blocks_.rows, blocks_.cols, checkpoint_.file_of(scale_name), scale_name);
}

std::vector<float> WeightLoader::floats(const std::string& name, const Shape& shape) {
  const TensorView data = take(name, shape);
  if (data.dtype == DType::f8_e4m3)
    throw Error(ErrorCode::unsupported, checkpoint_.file_of(name), checkpoint_.shown_name(name),
                "found dtype F8_E4M3, expected F32, F16 or BF16");
  parameters_ += data.elements();
  std::vector<float> values = decode(data);
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    throw Error(ErrorCode::numeric, checkpoint_.file_of(name), checkpoint_.shown_name(name),
                "found a value that is not finite");
  return values;
}

PositionTable WeightLoader::position_table(std::size_t positions, std::size_t dims) {
  return {floats("model.embed_positions.weight", Shape{positions, dims}), dims};
}

Linear WeightLoader::linear(const std::string& prefix, std::size_t out, std::size_t in, bool bias) {
  // Braces: the weight is looked for, and missed, before the bias.
  return Linear{matrix(prefix + ".weight", Shape{out, in}),
                bias ? vector(prefix + ".bias", out) : std::vector<float>{}};
}

Linear WeightLoader::output_head(const WeightView& embeddings, bool tied) {
  if (tied && !has("lm_head.weight")) return Linear(embeddings);
  return linear("lm_head", embeddings.rows(), embeddings.cols());
}

std::vector<std::string> WeightLoader::leftovers(
    const std::function<bool(std::string_view name)>& may_be_left) const {
  std::vector<std::string> names;
  for (const CheckpointTensor& tensor : checkpoint_.tensors()) {
    const std::string name(tensor.name);
    if (taken_.contains(name)) continue;
    if (!may_be_left(name) && !tensor.data.empty())
      throw Error(ErrorCode::mismatch, checkpoint_.file_of(name), checkpoint_.shown_name(name),
                  "found a tensor that the model described by its config does not have");
    names.push_back(name);
  }
  return names;
}

}  // namespace mla
