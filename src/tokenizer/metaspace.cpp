#include "tokenizer/metaspace.h"

#include "tokenizer/quote.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

Metaspace::Prepend read_scheme(const JsonField& field) {
  const std::string& name = field.as_string();
  if (name == "always") return Metaspace::Prepend::always;
  if (name == "first") return Metaspace::Prepend::first;
  if (name == "never") return Metaspace::Prepend::never;
  field.unsupported("found " + quote(name) + ", expected always, first or never");
}

}  // namespace

std::string read_character(const JsonField& field) {
  const std::string& text = field.as_string();
  if (text.empty() || code_point_at(text, 0).length != text.size())
    field.fail("found " + quote(text) + ", expected one character");
  return text;
}

Metaspace read_metaspace_options(const JsonField& field) {
  Metaspace result;
  result.replacement = read_character(field.get("replacement"));
  const auto scheme = field.find("prepend_scheme");
  if (scheme) result.prepend = read_scheme(*scheme);
  if (const auto prefix = field.find("add_prefix_space"); prefix && !prefix->as_bool()) {
    if (scheme && result.prepend != Metaspace::Prepend::never)
      prefix->fail("found false, but prepend_scheme is " + quote(scheme->as_string()));
    result.prepend = Metaspace::Prepend::never;
  }
  if (const auto split = field.find("split")) result.split = split->as_bool();
  return result;
}

}  // namespace mla
