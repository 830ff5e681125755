// Regular expressions as Hugging Face's tokenizers write them (Oniguruma, Ruby syntax), run by PCRE2.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/json.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;
struct pcre2_real_jit_stack_8;

namespace mla {

/// What matching writes into; one a thread. Serves all regexes.
class RegexScratch {
 public:
  RegexScratch();

 private:
  friend class Regex;
  template <auto Free>
  struct Freer {
    template <typename T>
    void operator()(T* object) const {
      Free(object);
    }
  };
  static void free_data(pcre2_real_match_data_8* data);
  static void free_context(pcre2_real_match_context_8* context);
  static void free_stack(pcre2_real_jit_stack_8* stack);

  std::unique_ptr<pcre2_real_match_data_8, Freer<&RegexScratch::free_data>> data_;
  std::unique_ptr<pcre2_real_match_context_8, Freer<&RegexScratch::free_context>> context_;
  std::unique_ptr<pcre2_real_jit_stack_8, Freer<&RegexScratch::free_stack>> stack_;
};

struct RegexMatch {
  std::size_t begin;
  std::size_t end;
};

class Regex {
 public:
  enum class Syntax { pattern, literal };

  /// Compiles `pattern`; errors name `place`. Throws Error(format) on a pattern that is none,
  /// Error(unsupported) on one that PCRE2 would read differently.
  Regex(std::string_view pattern, Syntax syntax, const JsonField& place);

  /// The first match at or after `start`. `text` is valid UTF-8. Throws Error(limit) where matching takes
  /// more steps than any sensible pattern needs.
  std::optional<RegexMatch> find(std::string_view text, std::size_t start, RegexScratch& scratch) const;

  /// All matches from left to right, without overlaps; an empty one right after a match does not count.
  void find_all(std::string_view text, RegexScratch& scratch, FunctionRef<void(RegexMatch)> found) const;

 private:
  [[noreturn]] void fail(int status) const;

  std::shared_ptr<pcre2_real_code_8> code_;
  bool jit_ = false;
  std::string file_;
  std::string place_;
};

}  // namespace mla
