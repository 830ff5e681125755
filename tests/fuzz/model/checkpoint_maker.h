// Weights for any config.json.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/checkpoint.h"

namespace mla::fuzz {

using Shapes = std::map<std::string, std::vector<std::size_t>>;

/// Finds out which tensors a config asks for by asking the family's builder: of a tensor that is missing, or has another
/// shape, it says what it expected.
class CheckpointMaker {
 public:
  /// Elements of a tensor, and of all together.
  static constexpr std::size_t kMostElements = std::size_t{1} << 16;
  static constexpr std::size_t kMostInAll = std::size_t{1} << 18;

  /// Begins with the tensors of the configs in `folder`, the first of each model_type and width.
  explicit CheckpointMaker(const std::filesystem::path& folder);

  /// The tensors for the config. Throws the builder's Error if it refuses it, or wants too much.
  Shapes shapes_for(const JsonField& config) const;

  /// A model.safetensors with these tensors, all of type F32.
  std::string file_of(const Shapes& shapes) const;

 private:
  Checkpoint checkpoint_of(const Shapes& shapes) const;
  void fit(const JsonField& config, std::size_t changes, Shapes& shapes) const;

  std::vector<float> values_;  ///< What every tensor begins with.
  std::map<std::string, Shapes, std::less<>> begin_with_;
};

}  // namespace mla::fuzz
