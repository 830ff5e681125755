// Prompt in, text out, token by token.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mla/export.h"
#include "mla/sampler.h"
#include "mla/session.h"
#include "mla/tokenizer.h"

namespace mla {

struct GenerateOptions {
  std::size_t max_tokens = 256;
  SamplerOptions sampler;
  std::vector<std::string> stop;  ///< Text ends before the first of these.
  bool ignore_eos = false;        ///< Goes on behind the model's eos ids.
};

enum class FinishReason {
  length,     ///< max_tokens were generated.
  eos,        ///< The model ended the text.
  stop,       ///< A stop string came up.
  context,    ///< The session is full.
  cancelled,  ///< The callback said so.
};

struct GenerateResult {
  std::vector<TokenId> ids;  ///< All tokens chosen; with FinishReason::eos the last is the eos id.
  std::string text;  ///< Without special tokens and without the stop string; empty without a tokenizer.
  FinishReason reason = FinishReason::length;
  std::size_t prompt_tokens = 0;
  double prefill_seconds = 0.0;  ///< Until the logits behind the prompt are there.
  double decode_seconds = 0.0;   ///< For the tokens after the first.
};

/// Called for every token but the eos id with the text that became certain by it (often empty, as characters
/// and stop strings may need several tokens), and once more at the end with what was still held back, id -1.
/// False ends the generation.
using TokenCallback = std::function<bool(TokenId id, std::string_view text)>;

/// Appends `prompt` to the session, then samples. `tokenizer` may be null: then there is no text, and stop
/// strings are refused. Throws Error(argument) on bad options or an empty prompt, and what Session::evaluate
/// throws.
MLA_API GenerateResult generate(Session& session, const std::shared_ptr<const Tokenizer>& tokenizer,
                                std::span<const TokenId> prompt, const GenerateOptions& options,
                                const TokenCallback& callback = {});

}  // namespace mla
