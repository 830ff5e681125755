#include "tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <new>

#include "mla/error.h"
#include "tokenizer/regex_syntax.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

// Steps of one match. What sensible patterns need grows with the text, and is a few steps a byte; the first limit is an
// answer within a tenth of a second.
constexpr std::size_t kStepsOfAnyText = 10'000'000;
constexpr std::size_t kStepsPerByte = 64;
constexpr std::uint32_t kHeapLimitKiB = 24u << 10;
constexpr std::size_t kJitStackStart = std::size_t{32} << 10;
constexpr std::size_t kJitStackMost = std::size_t{24} << 20;
constexpr std::size_t kPatternMost = std::size_t{64} << 10;

std::string message_of(int status) {
  PCRE2_UCHAR8 buffer[160];
  pcre2_get_error_message_8(status, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

struct CompileContextFreer {
  void operator()(pcre2_compile_context_8* context) const { pcre2_compile_context_free_8(context); }
};

}  // namespace

void RegexScratch::free_data(pcre2_real_match_data_8* data) {
  pcre2_match_data_free_8(data);
}
void RegexScratch::free_context(pcre2_real_match_context_8* context) {
  pcre2_match_context_free_8(context);
}
void RegexScratch::free_stack(pcre2_real_jit_stack_8* stack) {
  pcre2_jit_stack_free_8(stack);
}

RegexScratch::RegexScratch()
    : data_(pcre2_match_data_create_8(1, nullptr)),
      context_(pcre2_match_context_create_8(nullptr)),
      stack_(pcre2_jit_stack_create_8(kJitStackStart, kJitStackMost, nullptr)) {
  if (!data_ || !context_) throw std::bad_alloc();
  pcre2_set_heap_limit_8(context_.get(), kHeapLimitKiB);
  if (stack_) pcre2_jit_stack_assign_8(context_.get(), nullptr, stack_.get());
}

Regex::Regex(std::string_view pattern, Syntax syntax, const JsonField& place)
    : file_(place.file()), place_(place.place()) {
  if (pattern.size() > kPatternMost)
    place.fail("the regex is longer than " + std::to_string(kPatternMost) + " bytes");
  const std::string translated =
      syntax == Syntax::pattern ? to_pcre2_syntax(pattern, place) : std::string(pattern);
  const std::unique_ptr<pcre2_compile_context_8, CompileContextFreer> context(
      pcre2_compile_context_create_8(nullptr));
  if (!context) throw std::bad_alloc();
  pcre2_set_newline_8(context.get(), PCRE2_NEWLINE_LF);
  const std::uint32_t options = syntax == Syntax::literal
                                    ? PCRE2_UTF | PCRE2_LITERAL
                                    : PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  int status = 0;
  PCRE2_SIZE offset = 0;
  code_.reset(pcre2_compile_8(reinterpret_cast<PCRE2_SPTR8>(translated.data()), translated.size(), options,
                              &status, &offset, context.get()),
              [](pcre2_code_8* code) { pcre2_code_free_8(code); });
  if (!code_) place.fail("not a regex that mla can use: " + message_of(status));
  jit_ = pcre2_jit_compile_8(code_.get(), PCRE2_JIT_COMPLETE) == 0;
}

std::optional<RegexMatch> Regex::find(std::string_view text, std::size_t start, RegexScratch& scratch) const {
  const auto subject = reinterpret_cast<PCRE2_SPTR8>(text.data() ? text.data() : "");
  pcre2_set_match_limit_8(scratch.context_.get(),
                          static_cast<std::uint32_t>(std::min<std::size_t>(
                              kStepsOfAnyText + kStepsPerByte * text.size(), UINT32_MAX)));
  const int status = jit_ ? pcre2_jit_match_8(code_.get(), subject, text.size(), start, PCRE2_NO_UTF_CHECK,
                                              scratch.data_.get(), scratch.context_.get())
                          : pcre2_match_8(code_.get(), subject, text.size(), start, PCRE2_NO_UTF_CHECK,
                                          scratch.data_.get(), scratch.context_.get());
  if (status == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (status < 0) fail(status);
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer_8(scratch.data_.get());
  // A lookaround with \K could turn the bounds around; the translation refuses \K.
  if (bounds[0] < start || bounds[0] > bounds[1])
    throw Error(ErrorCode::unsupported, file_, place_, "the regex moves the bounds of a match");
  return RegexMatch{bounds[0], bounds[1]};
}

void Regex::find_all(std::string_view text, RegexScratch& scratch,
                     FunctionRef<void(RegexMatch)> found) const {
  std::size_t start = 0;
  std::optional<std::size_t> last_end;
  while (start <= text.size()) {
    const std::optional<RegexMatch> match = find(text, start, scratch);
    if (!match) return;
    if (match->begin == match->end && last_end == match->end) {
      start += start < text.size() ? code_point_at(text, start).length : 1;
      continue;
    }
    start = match->end;
    last_end = match->end;
    found(*match);
  }
}

void Regex::fail(int status) const {
  throw Error(ErrorCode::limit, file_, place_, "the regex cannot be matched: " + message_of(status));
}

}  // namespace mla
