#include "tokenizer/pattern.h"

namespace mla {

Regex read_pattern(const JsonField& field) {
  const std::optional<JsonField> literal = field.find("String");
  if (literal) return Regex(literal->as_string(), Regex::Syntax::literal, *literal);
  const JsonField regex = field.get("Regex");
  return Regex(regex.as_string(), Regex::Syntax::pattern, regex);
}

}  // namespace mla
