// The parts of plan_folder: what config.json becomes, what the tensors become, what the tokenizer becomes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "convert/plan.h"
#include "model/model_source.h"
#include "model/weights.h"
#include "nn/mla_attention.h"
#include "positional/rope.h"

namespace mla {

/// Keys under the architecture's name: "llama." + key.
class ArchitectureKeys {
 public:
  ArchitectureKeys(GgufMetadata& metadata, std::string architecture)
      : metadata_(metadata), architecture_(std::move(architecture)) {}

  void add_size(std::string_view key, std::size_t value);  ///< At most 31 bits, as all sizes of a config.
  void add_number(std::string_view key, double value);     ///< As float32.
  void add_bool(std::string_view key, bool value);
  void add_text(std::string_view key, std::string_view value);

  const std::string& architecture() const { return architecture_; }

 private:
  std::string full(std::string_view key) const { return architecture_ + "." + std::string(key); }

  GgufMetadata& metadata_;
  std::string architecture_;
};

/// What the tensors' forms depend on.
struct FolderModel {
  std::string architecture;  ///< `general.architecture`
  std::size_t layers = 0;
  std::size_t vocab_size = 0;
  std::size_t experts = 0;
  bool tied = false;  ///< lm_head is the embedding, and is not written.
  Fp8Blocks fp8;

  /// llama: rows of q_proj and k_proj are put in the order in which pairs of rotated values lie side by side.
  std::size_t heads = 0;
  std::size_t key_value_heads = 0;
  std::size_t head_dim = 0;

  /// deepseek2: kv_b_proj is split by its heads' parts, and rotary rows are brought side by side as well.
  MlaShape latent;

  RopePairing pairing = RopePairing::interleaved;
  bool input_major = false;  ///< gpt2: matrices lie as [in, out].

  /// Divisors of the rotary frequencies, written as tensors of these names.
  std::vector<std::pair<std::string, std::vector<float>>> rope_factors;
};

/// Writes the keys of the architecture. Throws Error(unsupported) that names the config's key for what the GGUF
/// architecture has no form for.
FolderModel describe_architecture(const ModelSource& source, GgufMetadata& metadata);

/// Plans a tensor for each of the checkpoint's, in the order of the layers. Throws Error(unsupported) that names a tensor
/// for which the GGUF architecture has no place. `is_needed` says no for tensors the model does not use.
void plan_tensors(const ModelSource& source, const FolderModel& model,
                  const std::function<bool(std::string_view name)>& is_needed, ConversionPlan& plan);

/// Writes `tokenizer.ggml.*` for the folder's tokenizer.json, tokenizer_config.json and chat_template.jinja. Throws
/// Error(unsupported) for a tokenizer of another kind than GGUF knows, Error(mismatch) if it has ids that the model has
/// not.
void describe_tokenizer(const ModelSource& source, std::size_t vocab_size, GgufMetadata& metadata);

}  // namespace mla
