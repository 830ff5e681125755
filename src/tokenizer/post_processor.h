// What encoding puts around the tokens of a text (BOS and the like).
#pragma once

#include <vector>

#include "base/json.h"
#include "mla/tokenizer.h"

namespace mla {

struct PostProcessor {
  std::vector<TokenId> before;
  std::vector<TokenId> after;
};

/// From the object at `field`: TemplateProcessing (its `single` template), ByteLevel (which only touches
/// offsets) and Sequence. Throws Error(format, unsupported).
PostProcessor read_post_processor(const JsonField& field);

}  // namespace mla
