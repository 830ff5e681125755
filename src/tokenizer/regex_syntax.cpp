#include "tokenizer/regex_syntax.h"

#include <cctype>
#include <cstdio>

#include "tokenizer/unicode.h"

namespace mla {
namespace {

/// Characters newer than PCRE2's tables that `mask` holds, as members of a class.
std::string newer_members(CategoryMask mask) {
  std::string members;
  for (const CodePointRange& range : newer_code_points(mask)) {
    char buffer[48];
    std::snprintf(buffer, sizeof buffer, "\\x{%x}-\\x{%x}", static_cast<unsigned>(range.first),
                  static_cast<unsigned>(range.last));
    members += buffer;
  }
  return members;
}

class Translator {
 public:
  Translator(std::string_view pattern, const JsonField& place) : pattern_(pattern), place_(place) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\')
        escape();
      else if (in_class_)
        class_member(c);
      else
        outside(c);
    }
    return std::move(result_);
  }

 private:
  void copy(std::size_t count) {
    result_.append(pattern_.substr(at_, count));
    at_ += count;
  }

  bool follows(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

  [[noreturn]] void refuse(const std::string& what) const {
    place_.unsupported("the regex uses " + what + ", which mla does not know");
  }

  void outside(char c) {
    if (c == '[') {
      copy(follows("[^") ? 2 : 1);
      if (follows("]")) refuse("']' first in a class");
      in_class_ = true;
      return;
    }
    if (follows("(*")) refuse("a verb (*...)");
    if (follows("(?#")) return comment();
    // In Ruby (?m) means that '.' takes newlines too; PCRE2 says (?s).
    if (follows("(?")) return group();
    copy(1);
  }

  void comment() {
    const std::size_t close = pattern_.find(')', at_);
    if (close == std::string_view::npos) place_.fail("the regex has a comment (?# without its )");
    copy(close + 1 - at_);
  }

  void group() {
    copy(2);
    while (at_ < pattern_.size() && std::string_view("imx-").find(pattern_[at_]) != std::string_view::npos) {
      if (pattern_[at_] == 'x') refuse("extended syntax (?x)");
      result_ += pattern_[at_] == 'm' ? 's' : pattern_[at_];
      ++at_;
    }
  }

  void class_member(char c) {
    if (c == ']') in_class_ = false;
    if (follows("[:")) refuse("a POSIX class");
    if (c == '[') refuse("a class within a class");
    if (follows("&&")) refuse("an intersection of classes");
    copy(1);
  }

  void escape() {
    if (at_ + 1 == pattern_.size()) return copy(1);
    switch (pattern_[at_ + 1]) {
      case 'p':
      case 'P':
        return property();
      case 'w':
      case 'W':
        return word(pattern_[at_ + 1] == 'W');
      case 's':
      case 'S':
        return space(pattern_[at_ + 1] == 'S');
      case 'd':
      case 'D':
        return category(pattern_[at_ + 1] == 'D', "Nd", 2);
      case 'h':
      case 'H':  // Hexadecimal digits in Ruby, horizontal space in PCRE2.
        return hex(pattern_[at_ + 1] == 'H');
      case 'u':
        return code_point();
      case 'x':
        return hex_code_point();
      case 'X':
      case 'y':
      case 'Y':
      case 'K':
      case 'O':
      case 'N':
      case 'g':
      case 'k':
      case 'Q':
      case 'E':
      case 'Z':
        if (!in_class_) refuse(std::string("\\") + pattern_[at_ + 1]);
        [[fallthrough]];
      default:
        return copy(2);
    }
  }

  /// A set of characters: bare within a class, in its own brackets outside.
  void members(const std::string& set, bool negated) {
    if (in_class_ && negated) refuse("a negated set within a class");
    result_ += in_class_ ? set : (negated ? "[^" : "[") + set + "]";
  }

  void category(bool negated, const std::string& name, std::size_t length) {
    at_ += length;
    const std::string newer = newer_members(*category_mask(name));
    if (in_class_ && negated && newer.empty()) {
      result_ += "\\P{" + name + "}";
      return;
    }
    members("\\p{" + name + "}" + newer, negated);
  }

  void property() {
    const bool capital = pattern_[at_ + 1] == 'P';
    const std::size_t open = at_ + 2;
    if (open >= pattern_.size() || pattern_[open] != '{') refuse("\\p without braces");
    const std::size_t close = pattern_.find('}', open);
    if (close == std::string_view::npos) place_.fail("the regex has \\p{ without its }");
    std::string name(pattern_.substr(open + 1, close - open - 1));
    const bool caret = !name.empty() && name.front() == '^';
    if (caret) name.erase(0, 1);
    if (category_mask(name)) return category(capital != caret, name, close + 1 - at_);
    copy(close + 1 - at_);
  }

  void word(bool negated) {
    at_ += 2;
    // Oniguruma: letters, marks, decimal and letter digits, connectors, and the circled letters; and by an
    // old habit the Latin-1 superscripts and fractions.
    const CategoryMask mask = *category_mask("L") | *category_mask("M") | *category_mask("Nd") |
                              *category_mask("Nl") | *category_mask("Pc");
    members(
        "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}\\x{24b6}-\\x{24e9}"
        "\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}" +
            newer_members(mask),
        negated);
  }

  void space(bool negated) {
    at_ += 2;
    // PCRE2 takes U+180E for a space.
    if (in_class_ && negated)
      result_ += "\\S\\x{180e}";
    else
      members("\\t-\\r\\x{85}\\p{Z}", negated);
  }

  void hex(bool negated) {
    at_ += 2;
    members("0-9A-Fa-f", negated);
  }

  void code_point() {
    if (at_ + 6 > pattern_.size()) place_.fail("the regex has \\u without four hexadecimal digits");
    result_ += "\\x{" + std::string(pattern_.substr(at_ + 2, 4)) + "}";
    at_ += 6;
  }

  /// \xH, \xHH or \x{H...}. PCRE2 takes \x without digits for NUL.
  void hex_code_point() {
    const std::size_t first = at_ + 2 + (follows("\\x{") ? 1 : 0);
    if (first >= pattern_.size() || std::isxdigit(static_cast<unsigned char>(pattern_[first])) == 0)
      place_.fail("the regex has \\x without hexadecimal digits");
    copy(2);
  }

  std::string_view pattern_;
  const JsonField& place_;
  std::size_t at_ = 0;
  bool in_class_ = false;
  std::string result_;
};

}  // namespace

std::string to_pcre2_syntax(std::string_view pattern, const JsonField& place) {
  return Translator(pattern, place).run();
}

}  // namespace mla
