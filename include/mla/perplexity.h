// How surprised a model is by a text, and how far it is from another model.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "mla/export.h"
#include "mla/session.h"
#include "mla/tokenizer.h"

namespace mla {

struct PerplexityResult {
  double perplexity = 0.0;
  double standard_error = 0.0;  ///< Of the perplexity, taking tokens as independent.
  double mean_nll = 0.0;        ///< Mean negative log-likelihood, nats a token.
  std::size_t scored_tokens = 0;
};

/// The text is cut into windows of `context` tokens; each starts afresh, and its first half is given, not
/// scored, so that every scored token has at least that much before it. Tokens behind the last whole window are
/// not used. A text shorter than one window is scored from its second token on. If `bos` is not negative it
/// replaces the first token of every window but the first (which has its own). (The scheme of llama.cpp's
/// perplexity tool.) Throws Error(argument) for fewer than two tokens or a context below 2.
MLA_API PerplexityResult
perplexity(Session& session, std::span<const TokenId> ids, std::size_t context, TokenId bos,
           const std::function<void(std::size_t done, std::size_t total)>& progress = {});

/// A model held against a reference. KL is KL(reference || model) of the next token's distribution, in nats a token.
struct DivergenceResult {
  PerplexityResult model;
  PerplexityResult reference;
  double perplexity_ratio = 0.0;  ///< The model's through the reference's.
  double mean_kl = 0.0;
  double kl_standard_error = 0.0;  ///< Of the mean, taking tokens as independent.
  double kl_99 = 0.0;              ///< 99 of 100 tokens have no more.
  double greatest_kl = 0.0;
  double same_top = 0.0;  ///< Share of tokens with the same most likely next token.
};

/// Both read the same windows as in `perplexity`, side by side; the scored tokens are compared. Memory: the
/// reference's logits of half a window (of a text shorter than a window: of all of it). Throws as `perplexity`, and
/// Error(mismatch) if the vocabularies differ in size.
MLA_API DivergenceResult
compare_logits(Session& session, Session& reference, std::span<const TokenId> ids, std::size_t context,
               TokenId bos, const std::function<void(std::size_t done, std::size_t total)>& progress = {});

}  // namespace mla
