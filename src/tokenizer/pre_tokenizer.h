// The pre-tokenizers of tokenizer.json: how text is split into words before merging.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/json.h"
#include "tokenizer/regex.h"

namespace mla {

/// Takes a word. It is valid only during the call.
using WordSink = FunctionRef<void(std::string_view)>;

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  /// Splits `text` (valid UTF-8, not empty) and gives the words, none of them empty, to `sink` from left to
  /// right. `at_start`: it begins where the whole text does, not behind an added token.
  virtual void split(std::string_view text, bool at_start, RegexScratch& scratch, WordSink sink) const = 0;
};

struct PreTokenization {
  std::unique_ptr<const PreTokenizer> splitter;  ///< Null: a text is one word.

  /// The last step is ByteLevel's writing of bytes as characters. It is left to the model, which can then
  /// work on the bytes themselves.
  bool byte_level = false;
  std::string description;
};

/// From the object at `field`. Throws Error(format, unsupported).
PreTokenization read_pre_tokenizer(const JsonField& field);

}  // namespace mla
