#include "mla/perplexity.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mla/error.h"
#include "runtime/divergence.h"
#include "runtime/likelihood.h"
#include "runtime/moments.h"
#include "runtime/text_windows.h"

namespace mla {
namespace {

/// Calls body(tokens) for each window in turn.
template <typename Body>
void for_windows(const TextWindows& windows,
                 const std::function<void(std::size_t done, std::size_t total)>& progress, Body body) {
  for (std::size_t index = 0; index < windows.count(); ++index) {
    body(windows.window(index));
    if (progress) progress(index + 1, windows.count());
  }
}

}  // namespace

PerplexityResult perplexity_of(const Moments& nll) {
  PerplexityResult result;
  result.scored_tokens = nll.count();
  result.mean_nll = nll.mean();
  result.perplexity = std::exp(result.mean_nll);
  result.standard_error = result.perplexity * nll.standard_error();
  return result;
}

PerplexityResult perplexity(Session& session, std::span<const TokenId> ids, std::size_t context, TokenId bos,
                            const std::function<void(std::size_t done, std::size_t total)>& progress) {
  const TextWindows windows(ids, std::min(context, session.context()), bos);
  const std::size_t vocab_size = session.model().info().vocab_size;
  Moments nll;
  for_windows(windows, progress, [&](const std::vector<TokenId>& window) {
    session.rewind(0);
    session.evaluate_all(window, [&](std::size_t first, std::span<const float> logits) {
      windows.for_scored(window, first, logits.size() / vocab_size, [&](std::size_t row, TokenId target) {
        nll.add(negative_log_likelihood(logits.subspan(row * vocab_size, vocab_size), target));
      });
    });
  });
  return perplexity_of(nll);
}

DivergenceResult compare_logits(Session& session, Session& reference, std::span<const TokenId> ids,
                                std::size_t context, TokenId bos,
                                const std::function<void(std::size_t done, std::size_t total)>& progress) {
  const ModelInfo& info = session.model().info();
  const ModelInfo& expected = reference.model().info();
  const std::size_t vocab_size = info.vocab_size;
  if (vocab_size != expected.vocab_size)
    throw Error(ErrorCode::mismatch, info.path, "vocab_size",
                "found " + std::to_string(vocab_size) + ", expected " + std::to_string(expected.vocab_size) +
                    " as in " + expected.path);

  const TextWindows windows(ids, std::min({context, session.context(), reference.context()}), bos);
  Divergence divergence;
  std::vector<float> kept;  // The reference's logits of one window's scored rows.
  for_windows(windows, progress, [&](const std::vector<TokenId>& window) {
    kept.clear();
    reference.rewind(0);
    reference.evaluate_all(window, [&](std::size_t first, std::span<const float> logits) {
      windows.for_scored(window, first, logits.size() / vocab_size, [&](std::size_t row, TokenId) {
        const std::span<const float> scored = logits.subspan(row * vocab_size, vocab_size);
        kept.insert(kept.end(), scored.begin(), scored.end());
      });
    });
    std::span<const float> left = kept;
    session.rewind(0);
    session.evaluate_all(window, [&](std::size_t first, std::span<const float> logits) {
      windows.for_scored(window, first, logits.size() / vocab_size, [&](std::size_t row, TokenId target) {
        divergence.add(left.first(vocab_size), logits.subspan(row * vocab_size, vocab_size), target);
        left = left.subspan(vocab_size);
      });
    });
  });
  return divergence.result();
}

}  // namespace mla
