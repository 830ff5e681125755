#include "mla/perplexity.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mla/error.h"
#include "runtime/likelihood.h"

namespace mla {
namespace {

/// Sums over the scored tokens.
struct Totals {
  std::size_t count = 0;
  double nll = 0.0;
  double nll_squared = 0.0;

  void add(double value) {
    ++count;
    nll += value;
    nll_squared += value * value;
  }
};

PerplexityResult finish(const Totals& totals) {
  PerplexityResult result;
  const double n = static_cast<double>(totals.count);
  result.scored_tokens = totals.count;
  result.mean_nll = totals.nll / n;
  result.perplexity = std::exp(result.mean_nll);
  const double variance = std::max(0.0, totals.nll_squared / n - result.mean_nll * result.mean_nll);
  if (totals.count > 1) result.standard_error = result.perplexity * std::sqrt(variance / (n - 1.0));
  return result;
}

}  // namespace

PerplexityResult perplexity(Session& session, std::span<const TokenId> ids, std::size_t context, TokenId bos,
                            const std::function<void(std::size_t done, std::size_t total)>& progress) {
  context = std::min(context, session.context());
  if (context < 2)
    throw Error(ErrorCode::argument, "", "context",
                "found " + std::to_string(context) + ", expected at least 2");
  if (ids.size() < 2)
    throw Error(ErrorCode::argument, "", "text",
                "found " + std::to_string(ids.size()) + " tokens, expected at least 2");

  const bool one_window = ids.size() < context;
  const std::size_t width = std::min(context, ids.size());
  const std::size_t windows = ids.size() / width;
  const std::size_t first_scored = one_window ? 1 : std::max<std::size_t>(1, width / 2);
  const std::size_t vocab_size = session.model().info().vocab_size;
  Totals totals;
  std::vector<TokenId> window;
  for (std::size_t w = 0; w < windows; ++w) {
    window.assign(ids.begin() + static_cast<std::ptrdiff_t>(w * width),
                  ids.begin() + static_cast<std::ptrdiff_t>((w + 1) * width));
    if (bos >= 0 && w > 0) window.front() = bos;
    session.rewind(0);
    session.evaluate_all(window, [&](std::size_t first_row, std::span<const float> logits) {
      for (std::size_t row = 0; row < logits.size() / vocab_size; ++row) {
        const std::size_t target = first_row + row + 1;
        if (target < first_scored || target >= window.size()) continue;
        totals.add(negative_log_likelihood(logits.subspan(row * vocab_size, vocab_size), window[target]));
      }
    });
    if (progress) progress(w + 1, windows);
  }
  return finish(totals);
}

}  // namespace mla
