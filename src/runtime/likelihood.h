// How likely a model finds a token.
#pragma once

#include <span>

#include "mla/tokenizer.h"

namespace mla {

/// ln(sum_i exp(logits_i)) in double.
double log_sum_exp(std::span<const float> logits);

/// -log softmax(logits)[target] in nats, in double. `target` is one of them.
double negative_log_likelihood(std::span<const float> logits, TokenId target);

}  // namespace mla
