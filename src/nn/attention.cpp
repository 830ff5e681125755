#include "nn/attention.h"

#include "mla/error.h"

namespace mla {

bool fast_takes(const PositionalEncoding& position) {
  return position.stage() != EncodingStage::scores;
}

void check_fast(const AttentionCall& call) {
  const char* found = nullptr;
  if (call.options.observer != nullptr) found = "an observer";
  if (call.options.mask != AttentionMask::causal) found = "a pass without the causal mask";
  if (!fast_takes(call.position)) found = "an encoding that adds to scores";
  if (found != nullptr)
    throw Error(ErrorCode::unsupported, "", "attention",
                std::string("found ").append(found).append(
                    " for a model loaded with precision fast, expected precision f32"));
}

}  // namespace mla
