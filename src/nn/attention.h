// What the decoder needs of an attention block, whichever kind it is.
#pragma once

#include "mla/attention_path.h"
#include "nn/kv_cache.h"
#include "nn/workspace.h"
#include "positional/encoding.h"
#include "tensor/matrix.h"

namespace mla {

/// One layer's streams of the cache, with the rows of this pass included (not yet written).
struct LayerCache {
  Matrix first;
  Matrix second;
};

/// Const after loading and shared; all that changes is in the arguments.
class Attention {
 public:
  virtual ~Attention() = default;

  virtual CacheWidths cache_widths() const = 0;

  /// x and out [batch.count, hidden_size]. Appends the rows' keys to the cache, whose matrices have
  /// batch.first + batch.count rows, and attends causally to all of it.
  virtual void forward(ConstMatrix x, const PositionBatch& batch, const PositionalEncoding& position,
                       LayerCache cache, AttentionPath path, Workspace& workspace, Matrix out) const = 0;
};

}  // namespace mla
