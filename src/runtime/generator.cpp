#include "mla/generator.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "mla/error.h"
#include "runtime/stop_matcher.h"
#include "runtime/vocabularies.h"

namespace mla {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// From ids to the text that may be shown.
class TextStream {
 public:
  TextStream(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<std::string>& stops)
      : matcher_(stops) {
    if (tokenizer) decoder_.emplace(tokenizer);
  }
  std::string push(TokenId id) { return decoder_ ? matcher_.push(decoder_->push(id)) : std::string(); }
  std::string finish() {
    return decoder_ ? matcher_.push(decoder_->finish()) + matcher_.finish() : std::string();
  }
  bool stopped() const { return matcher_.stopped(); }

 private:
  std::optional<StreamDecoder> decoder_;
  StopMatcher matcher_;
};

void check(const GenerateOptions& options, const std::shared_ptr<const Tokenizer>& tokenizer) {
  if (!tokenizer && !options.stop.empty())
    throw Error(ErrorCode::argument, "", "stop",
                "found a stop string, but there is no tokenizer to make text with");
}

}  // namespace

GenerateResult generate(Session& session, const std::shared_ptr<const Tokenizer>& tokenizer,
                        std::span<const TokenId> prompt, const GenerateOptions& options,
                        const TokenCallback& callback) {
  check(options, tokenizer);
  if (tokenizer) check_vocabulary(*tokenizer, session.model());
  Sampler sampler(options.sampler);
  TextStream stream(tokenizer, options.stop);
  const std::vector<TokenId>& eos = session.model().generation_config().eos_token_ids;

  GenerateResult result;
  result.prompt_tokens = prompt.size();
  const Clock::time_point start = Clock::now();
  std::span<const float> logits = session.evaluate(prompt);
  result.prefill_seconds = seconds_since(start);
  for (const TokenId id : prompt) sampler.accept(id);

  Clock::time_point first_token = Clock::now();
  while (result.ids.size() < options.max_tokens) {
    const TokenId id = sampler.sample(logits);
    sampler.accept(id);
    result.ids.push_back(id);
    if (result.ids.size() == 1) first_token = Clock::now();
    if (!options.ignore_eos && std::find(eos.begin(), eos.end(), id) != eos.end()) {
      result.reason = FinishReason::eos;
      break;
    }
    const std::string text = stream.push(id);
    result.text += text;
    if (callback && !callback(id, text)) {
      result.reason = FinishReason::cancelled;
      break;
    }
    if (stream.stopped()) {
      result.reason = FinishReason::stop;
      break;
    }
    if (result.ids.size() == options.max_tokens) break;
    if (session.position() == session.context()) {
      result.reason = FinishReason::context;
      break;
    }
    logits = session.evaluate({&result.ids.back(), 1});
  }
  result.decode_seconds = seconds_since(first_token);
  if (result.reason == FinishReason::cancelled) return result;
  const std::string rest = stream.finish();
  result.text += rest;
  if (callback && !rest.empty()) callback(-1, rest);
  return result;
}

}  // namespace mla
