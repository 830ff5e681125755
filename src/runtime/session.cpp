#include "mla/session.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "mla/error.h"
#include "model/model_parts.h"
#include "nn/kv_cache.h"
#include "nn/workspace.h"

namespace mla {

namespace {

/// Tokens a session may hold: what the model has positions for, or with `extrapolate` its encoding, less those
/// skipped in front.
std::size_t most_tokens(const ModelInfo& info, const SessionOptions& options) {
  constexpr std::size_t kNoEnd = std::numeric_limits<std::int32_t>::max();
  std::size_t end = options.extrapolate ? info.encoding_positions.value_or(kNoEnd) : info.max_context;
  if (info.encoding_positions) end = std::min(end, *info.encoding_positions);
  if (options.first_position >= end)
    throw Error(ErrorCode::argument, info.path, "first position",
                "found " + std::to_string(options.first_position) + ", expected less than the " +
                    std::to_string(end) + " positions there are");
  const std::size_t left = end - options.first_position;
  return options.context == 0 ? left : std::min(options.context, left);
}

}  // namespace

struct Session::State {
  State(std::shared_ptr<const Model> shared, const SessionOptions& chosen)
      : model(std::move(shared)),
        options(chosen),
        context(most_tokens(model->info(), chosen)),
        cache(model->parts().decoder.cache_widths(), context),
        workspace(chosen.threads == 0 ? default_thread_count() : chosen.threads, best_kernels()),
        logits(model->info().vocab_size) {
    if (model->parts().described_only)
      throw Error(ErrorCode::argument, model->info().path, "describe_only",
                  "found a model loaded to be described, expected one to compute with");
  }

  void check(std::span<const TokenId> ids) const;
  void run(std::span<const TokenId> ids, std::size_t most_at_once, bool all_rows, const LogitsSink& sink);

  std::shared_ptr<const Model> model;
  SessionOptions options;
  std::size_t context;
  KvCache cache;
  Workspace workspace;
  PositionBatch batch;  // Kept for its memory.
  std::vector<float> logits;
  std::size_t position = 0;
  Progress progress;
};

void Session::State::check(std::span<const TokenId> ids) const {
  model->parts().decoder.check_ids(ids);
  if (ids.size() > context - position)
    throw Error(ErrorCode::limit, model->info().path, "context",
                "found " + std::to_string(position + ids.size()) + " tokens, expected at most " +
                    std::to_string(context));
}

void Session::State::run(std::span<const TokenId> ids, std::size_t most_at_once, bool all_rows,
                         const LogitsSink& sink) {
  check(ids);
  cache.reserve(position + ids.size());
  const std::size_t vocab_size = model->info().vocab_size;
  const std::size_t total_length = position + ids.size();
  for (std::size_t done = 0; done < ids.size();) {
    const std::span<const TokenId> chunk = ids.subspan(done, std::min(most_at_once, ids.size() - done));
    const bool last = done + chunk.size() == ids.size();
    const std::size_t rows = all_rows ? chunk.size() : last ? 1 : 0;
    logits.resize(std::max(rows, std::size_t{1}) * vocab_size);
    batch.first = position;
    batch.count = chunk.size();
    batch.sequence_length = total_length;
    batch.call_count = ids.size();
    batch.offset = options.first_position;
    model->parts().decoder.forward(chunk, batch, cache, {.path = options.attention}, workspace,
                                   {logits.data(), rows, vocab_size, vocab_size});
    const std::span<const float> computed(logits.data(), rows * vocab_size);
    if (!std::all_of(computed.begin(), computed.end(), [](float value) { return std::isfinite(value); }))
      throw Error(ErrorCode::numeric, model->info().path, "logits", "non-finite logits");
    position += chunk.size();
    if (rows > 0) sink(done, computed);
    done += chunk.size();
    if (progress) progress(done, ids.size());
  }
}

Session::Session(std::shared_ptr<const Model> model, const SessionOptions& options) {
  if (options.batch < 1) throw Error(ErrorCode::argument, "", "batch", "found 0, expected at least 1");
  if (!model) throw Error(ErrorCode::argument, "", "model", "found none, expected a loaded model");
  state_ = std::make_unique<State>(std::move(model), options);
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const Model& Session::model() const {
  return *state_->model;
}
std::size_t Session::context() const {
  return state_->context;
}
std::size_t Session::position() const {
  return state_->position;
}
void Session::set_progress(Progress progress) {
  state_->progress = std::move(progress);
}

std::span<const float> Session::evaluate(std::span<const TokenId> ids) {
  std::span<const float> result;
  state_->run(ids, state_->options.batch, false,
              [&](std::size_t, std::span<const float> logits) { result = logits; });
  return result;
}

void Session::evaluate_all(std::span<const TokenId> ids, const LogitsSink& sink) {
  constexpr std::size_t kMostLogits = std::size_t{1}
                                      << 24;  // 64 MiB at a time, however large the vocabulary.
  const std::size_t rows = std::max<std::size_t>(1, kMostLogits / state_->model->info().vocab_size);
  state_->run(ids, std::min(state_->options.batch, rows), true, sink);
}

void Session::rewind(std::size_t position) {
  if (position > state_->position)
    throw Error(
        ErrorCode::argument, "", "position",
        "found " + std::to_string(position) + ", expected at most " + std::to_string(state_->position));
  state_->position = position;
}

}  // namespace mla
