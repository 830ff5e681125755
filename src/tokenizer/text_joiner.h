// Joins what tokens stand for to a text, as the tokens come.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/decoder.h"

namespace mla {

class TextJoiner {
 public:
  explicit TextJoiner(const JoinRules& rules);

  /// True before the first token of a text.
  bool at_start() const { return !started_; }

  /// Appends to `text` what the token completes, in whole characters.
  void add(std::string_view bytes, bool is_byte, std::string& text);

  /// Appends what was held back; the next token begins a new text.
  void finish(std::string& text);

 private:
  /// One StripRule at work on a text that comes in pieces.
  struct Stripper {
    const StripRule* rule;
    std::size_t left;  ///< How many may still be taken from the beginning.
    std::string held;  ///< Characters that are taken away if the text ends here.
  };

  void end_byte_run(std::string& text);
  void emit_valid(std::string_view bytes, std::string& text);
  void strip_and_emit(std::size_t stripper, std::string_view piece, std::string& text);

  const JoinRules& rules_;
  std::vector<Stripper> strippers_;
  bool started_ = false;
  std::string run_;   ///< Bytes of byte fallback, until another token comes.
  std::string held_;  ///< The beginning of a character.
};

}  // namespace mla
