// The normalizers of tokenizer.json: what happens to text before it is split.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "tokenizer/regex.h"

namespace mla {

class Normalizer {
 public:
  virtual ~Normalizer() = default;

  /// `text` is valid UTF-8, before and after.
  virtual std::string apply(std::string text, RegexScratch& scratch) const = 0;

  /// From the object at `field`. Throws Error(format, unsupported).
  static std::unique_ptr<const Normalizer> from_json(const JsonField& field);
};

}  // namespace mla
