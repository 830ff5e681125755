#include "nn/attention.h"

#include "mla/error.h"

namespace mla {

void check_fast(const AttentionCall& call) {
  const char* found = nullptr;
  if (call.options.observer != nullptr) found = "an observer";
  if (call.options.mask != AttentionMask::causal) found = "a pass without the causal mask";
  if (found != nullptr)
    throw Error(ErrorCode::unsupported, "", "attention",
                std::string("found ").append(found).append(
                    " for a model loaded with precision fast, expected precision f32"));
}

}  // namespace mla
