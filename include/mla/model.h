// A loaded checkpoint: const, shared by any number of sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mla/export.h"
#include "mla/tokenizer.h"

namespace mla {

/// How activations are held and sums are made. docs/performance.md has the bounds of fast.
enum class Precision {
  f32,  ///< Exact: float32 throughout, whatever the weights' type.
  fast  ///< Weights repacked for the processor, activations rounded to what its widest units multiply.
};

/// "f32" or "fast", as --precision has them.
MLA_API std::string_view to_string(Precision precision);
/// The other way round. Throws Error(argument) for another name.
MLA_API Precision precision_named(std::string_view name);

struct LoadOptions {
  Precision precision = Precision::fast;

  /// Exchanges the positional encoding the checkpoint was trained with: an experiment, not a way to use it.
  /// Empty: the checkpoint's own.
  std::string position_encoding = {};

  /// "q8_0", "q4_0" or "q4_k": matrices of floats become this as they are repacked (routers do not). For
  /// Precision::fast only. Empty: they keep their type.
  std::string quantize = {};

  /// For looking at info() alone: nothing is repacked, and a session on the model is refused with Error(argument).
  bool describe_only = false;

  int threads = 0;  ///< That repack; 0: the physical cores this process may use.
  /// Called while weights are repacked, with the bytes done and to do.
  std::function<void(std::size_t done, std::size_t total)> progress = {};
};

/// Tensors of one type in a checkpoint.
struct DTypeUse {
  std::size_t tensors = 0;
  std::size_t bytes = 0;
};

/// What one token passes through of the tensors that are kept in one type, the file's or what they are repacked to: all of
/// them but the experts not chosen and the rows of tables that are not its own.
struct ActiveWeights {
  std::size_t elements = 0;
  std::size_t bytes = 0;  ///< In this type, scales included.
  /// Of the elements those of matrices it is multiplied by; by the output head's only if its logits are asked for.
  std::size_t layer_elements = 0;
  std::size_t head_elements = 0;
};

/// What a checkpoint is, for a person and for sizing memory.
struct ModelInfo {
  std::string path;
  std::string format;     ///< "safetensors" or "GGUF v3".
  std::string file_type;  ///< What a GGUF calls the type of most of its matrices ("Q4_K_M"); otherwise empty.
  bool tokenizer = false;  ///< Whether the model comes with one, and with a chat template.
  bool chat_template = false;
  std::string architecture;  ///< `model_type`.
  std::vector<std::pair<std::string, std::int64_t>>
      dimensions;  ///< The config's sizes by their names, in order.
  std::vector<std::pair<std::string, std::string>> features;  ///< Positional encoding, router, ...
  std::string position_encoding;                              ///< In use.
  std::string trained_position_encoding;                      ///< The checkpoint's own.
  Precision precision = Precision::f32;                       ///< It was loaded for.
  std::size_t vocab_size = 0;
  std::size_t max_context = 0;  ///< Tokens a session may hold.
  /// Positions for which the encoding is defined; nothing if it has no end of its own. What lies between
  /// max_context and this the model was not trained for.
  std::optional<std::size_t> encoding_positions;
  /// Elements of all tensors in use, and of these what one token passes through: without the experts not
  /// chosen and the embedding rows of other tokens.
  std::size_t parameters = 0;
  std::size_t active_parameters = 0;
  /// The active parameters by the type of their tensors; scales that are tensors of their own count by their bytes alone.
  std::map<std::string, ActiveWeights> active_weights;
  /// Routed experts of a layer (zero experts not counted), and to how many of them a token goes at most. 0: none.
  std::size_t experts = 0;
  std::size_t active_experts = 0;
  std::size_t weight_bytes = 0;  ///< All tensors of the checkpoint as they lie in the file.
  std::map<std::string, DTypeUse> dtypes;
  /// What the cache keeps: "latent" (MLA: latent and shared rotated key), "grouped" (keys and values of fewer heads than
  /// there are query heads) or "full" (of every head).
  std::string cache_kind = "latent";
  std::size_t cache_bytes_per_token =
      0;  ///< As the precision has them, all layers; an indexer's keys included.
  std::size_t full_cache_bytes_per_token = 0;  ///< What keys and values of every head would take.
  std::size_t activation_bytes_per_token = 0;  ///< For each token computed at once.
  std::size_t scratch_bytes_per_token = 0;     ///< For each token of the context and each attending thread.
  std::vector<std::string> ignored_tensors;    ///< Recognized and not needed (multi-token-prediction layers).
  std::vector<std::string>
      ignored_config;  ///< Keys of config.json, or of a GGUF, that change nothing in inference.
};

/// Sampling defaults and stop ids, from generation_config.json over config.json, or from a GGUF's metadata, whose
/// end-of-text, end-of-turn and end-of-message tokens all end a text.
struct GenerationConfig {
  std::optional<TokenId> bos_token_id;
  std::vector<TokenId> eos_token_ids;
  std::optional<bool> do_sample;
  std::optional<double> temperature;
  std::optional<std::int64_t> top_k;
  std::optional<double> top_p;
  std::optional<double> min_p;
  std::optional<double> typical_p;
  std::optional<double> repetition_penalty;
};

struct ModelParts;

class MLA_API Model {
 public:
  /// Loads a GGUF file (or all parts of it by one of them), or a Hugging Face folder: config.json, model.safetensors
  /// (or shards with their index), and generation_config.json if there is one; a folder without config.json stands for
  /// the GGUF file in it. The weights stay in the mapped files; loading reads the headers and the small vectors only. Throws Error (io, format, unsupported, mismatch) that names file and tensor
  /// or field; Error(unsupported) also for an unknown encoding or one the checkpoint cannot be given.
  static std::shared_ptr<const Model> load(const std::filesystem::path& path,
                                           const LoadOptions& options = {});

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelInfo& info() const;
  const GenerationConfig& generation_config() const;

  /// For mla's own rooms.
  const ModelParts& parts() const { return *parts_; }

 private:
  explicit Model(std::unique_ptr<const ModelParts> parts);

  std::unique_ptr<const ModelParts> parts_;
};

}  // namespace mla
