// From a checkpoint's tensor names to the parts of a model, with every shape checked.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/checkpoint.h"
#include "nn/linear.h"
#include "positional/registry.h"
#include "tensor/view.h"

namespace mla {

/// Sides of the blocks that share one `weight_scale_inv`.
struct Fp8Blocks {
  std::size_t rows = 128;
  std::size_t cols = 128;
};

/// Big matrices stay views into the mapped files; norms, biases and other vectors are decoded to float32. All
/// throw Error(mismatch) if the tensor is missing or has another shape, Error(unsupported) if its dtype is
/// not computed with. Errors name a tensor as the file does, with transformers' name behind it if that is another.
class WeightLoader {
 public:
  WeightLoader(const Checkpoint& checkpoint, Fp8Blocks blocks) : checkpoint_(checkpoint), blocks_(blocks) {}

  bool has(const std::string& name) const { return checkpoint_.find(name) != nullptr; }

  /// `name` as it stands, with its block scales (`name` + "_scale_inv") if it is FP8.
  WeightView matrix(const std::string& name, const Shape& shape);
  std::vector<float> vector(const std::string& name, std::size_t size) { return floats(name, Shape{size}); }
  /// Decoded, all values finite.
  std::vector<float> floats(const std::string& name, const Shape& shape);

  /// A table of learned positions, model.embed_positions.weight [positions, dims].
  PositionTable position_table(std::size_t positions, std::size_t dims);

  /// prefix.weight [out, in] and, if `bias`, prefix.bias [out].
  Linear linear(const std::string& prefix, std::size_t out, std::size_t in, bool bias = false);

  /// lm_head.weight, or with tied embeddings the embeddings [vocab_size, hidden_size] where it is not stored: a stored
  /// one still counts then, as in the reference.
  Linear output_head(const WeightView& embeddings, bool tied);

  /// Elements of all tensors taken so far (block scales not counted).
  std::size_t parameters() const { return parameters_; }

  /// Tensors nobody took. Throws Error(mismatch) at the first for which `may_be_left` says no: a checkpoint
  /// that holds more than the config tells of is not the model the config describes. Empty tensors may always
  /// be left.
  std::vector<std::string> leftovers(const std::function<bool(std::string_view name)>& may_be_left) const;

 private:
  TensorView take(const std::string& name, const Shape& shape);

  const Checkpoint& checkpoint_;
  Fp8Blocks blocks_;
  std::set<std::string> taken_;
  std::size_t parameters_ = 0;
};

}  // namespace mla
