// What the decoder needs of an attention block, whichever kind it is.
#pragma once

#include <cstddef>
#include <optional>

#include "base/page_memory.h"
#include "kernels/kernels.h"
#include "mla/attention_path.h"
#include "nn/kv_cache.h"
#include "nn/linear.h"
#include "nn/observer.h"
#include "nn/workspace.h"
#include "positional/encoding.h"
#include "tensor/matrix.h"

namespace mla {

/// What a row may attend to: itself and the rows before it, or all rows there are. Decoders are trained
/// causally; without the mask a pass shows what the encoding alone can tell apart.
enum class AttentionMask { causal, bidirectional };

/// How a pass is run; the same for all layers.
struct PassOptions {
  AttentionPath path = AttentionPath::automatic;
  AttentionMask mask = AttentionMask::causal;
  const PositionalEncoding* position = nullptr;  ///< Instead of the decoder's own.
  ForwardObserver* observer = nullptr;  ///< Sees the decompressed form: with an observer there is no other.
};

/// What fast attention needs to know at load.
struct FastPlan {
  PageMemory& memory;                            ///< Lives as long as the layer.
  std::optional<DType> quantize = std::nullopt;  ///< What float matrices are to become; see packed_type.
};

/// One layer's call.
struct AttentionCall {
  std::size_t layer;
  const PositionBatch& batch;
  const PositionalEncoding& position;
  LayerCache cache;
  const PassOptions& options;
};

/// What a causal pass cannot do without beside its matrices, for measuring how near to the machine's limits it comes.
struct AttentionWork {
  double multiplications = 0.0;
  double cache_values = 0.0;  ///< Read, each once.

  /// What an indexer adds: of float32, whatever the cache of the rest is of.
  double index_multiplications = 0.0;
  double index_values = 0.0;
};

/// The sum over rows i in [0, rows) of min(first + i + 1, most): the pairs of a row and what it sees.
double visible_pairs(std::size_t first, std::size_t rows, std::size_t most);

/// Throws Error(unsupported) if a pass asks of a layer that computes for Precision::fast what only float32 does: an
/// observer, or no mask.
void check_fast(const AttentionCall& call);

/// Const after loading and shared; all that changes is in the arguments.
class Attention {
 public:
  virtual ~Attention() = default;

  virtual CacheWidths cache_widths() const = 0;

  /// Makes the layer compute for Precision::fast: its cache is of bf16 from then on (cache_widths) and its passes go by
  /// flash attention. Takes memory for what has to be packed and returns the number of items that
  /// pack_fast must be called for before the first pass.
  virtual std::size_t use_fast(const FastPlan& plan) = 0;
  /// Different items may be packed at the same time. Throws Error(unsupported) if a weight does not fit its type.
  virtual void pack_fast(std::size_t item, const Kernels& kernels) = 0;

  /// Whether the cache holds a latent that keys and values are made from (MLA), not these themselves.
  virtual bool caches_latent() const { return false; }

  /// Of `rows` rows behind `first` others, by the cheaper of the ways there are.
  virtual AttentionWork work(std::size_t first, std::size_t rows) const = 0;

  /// x and out [batch.count, hidden_size]. Appends the rows' keys to the cache, whose matrices have
  /// batch.first + batch.count rows, and attends to what the mask shows of it.
  virtual void forward(ConstMatrix x, const AttentionCall& call, Workspace& workspace, Matrix out) const = 0;

  /// Hands out the matrices that may be packed.
  virtual void visit_linears(const LinearVisitor& visit) = 0;
};

}  // namespace mla
