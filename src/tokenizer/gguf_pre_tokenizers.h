// The pre-tokenizers that `tokenizer.ggml.pre` names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace mla {

/// What a name stands for.
struct GgufPreTokenizer {
  Json pre_tokenizer;          ///< As the model's own tokenizer.json has it.
  bool composed = false;       ///< The text is brought to the form NFC first.
  bool ignore_merges = false;  ///< A word that is a token is that token.
  bool add_bos = false;        ///< Where the file does not say it.
};

/// Nothing for a name that is not known.
std::optional<GgufPreTokenizer> find_gguf_pre_tokenizer(std::string_view name);

/// All known names, for messages.
std::string gguf_pre_tokenizer_names();

}  // namespace mla
