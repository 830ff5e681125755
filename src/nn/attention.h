// What the decoder needs of an attention block, whichever kind it is.
#pragma once

#include "mla/attention_path.h"
#include "nn/kv_cache.h"
#include "nn/linear.h"
#include "nn/observer.h"
#include "nn/workspace.h"
#include "positional/encoding.h"
#include "tensor/matrix.h"

namespace mla {

/// One layer's streams of the cache, with the rows of this pass included (not yet written).
struct LayerCache {
  Matrix first;
  Matrix second;
  Matrix third = {};
};

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

/// One layer's call.
struct AttentionCall {
  std::size_t layer;
  const PositionBatch& batch;
  const PositionalEncoding& position;
  LayerCache cache;
  const PassOptions& options;
};

/// Const after loading and shared; all that changes is in the arguments.
class Attention {
 public:
  virtual ~Attention() = default;

  virtual CacheWidths cache_widths() const = 0;

  /// Whether the cache holds a latent that keys and values are made from (MLA), not these themselves.
  virtual bool caches_latent() const { return false; }

  /// x and out [batch.count, hidden_size]. Appends the rows' keys to the cache, whose matrices have
  /// batch.first + batch.count rows, and attends to what the mask shows of it.
  virtual void forward(ConstMatrix x, const AttentionCall& call, Workspace& workspace, Matrix out) const = 0;

  /// Hands out the matrices that may be packed.
  virtual void visit_linears(const LinearVisitor& visit) = 0;
};

}  // namespace mla
