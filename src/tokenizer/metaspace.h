// Metaspace: a visible character, often U+2581, that stands for the space, as SentencePiece writes it. It is a
// pre-tokenizer and a decoder of tokenizer.json.
#pragma once

#include <string>

#include "base/json.h"

namespace mla {

struct Metaspace {
  /// Where the character is put before a text that does not begin with it: every piece between added tokens, only
  /// the piece at the beginning of the whole text, or none.
  enum class Prepend { always, first, never };

  std::string replacement;  ///< One character.
  Prepend prepend = Prepend::always;
  bool split = true;  ///< Words begin at the character.
};

/// From an object of type Metaspace. In old files `add_prefix_space` stands for `prepend_scheme`. Throws
/// Error(format, unsupported).
Metaspace read_metaspace_options(const JsonField& field);

/// A string of one character. Throws Error(format).
std::string read_character(const JsonField& field);

}  // namespace mla
