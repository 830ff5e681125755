#include "tokenizer/decoder.h"

#include "tokenizer/byte_level.h"
#include "tokenizer/quote.h"

namespace mla {
namespace {

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t hit = text.find(from); hit != std::string_view::npos; hit = text.find(from, at)) {
    result.append(text.substr(at, hit - at)).append(to);
    at = hit + from.size();
  }
  return result.append(text.substr(at));
}

}  // namespace

Decoder::Decoder(const JsonField& field) {
  read(field);
}

void Decoder::read(const JsonField& field) {
  const std::string& type = field.get("type").as_string();
  if (type == "Sequence") {
    const JsonField members = field.get("decoders");
    for (std::size_t i = 0; i < members.array_size(); ++i) read(members.element(i));
  } else if (type == "Fuse") {
    fused_ = true;
  } else if (fused_) {
    field.get("type").unsupported("found " + quote(type) + " where the tokens are one text already");
  } else if (type == "ByteLevel") {
    byte_level_ = fused_ = true;
  } else if (type == "Replace") {
    read_replace(field);
  } else {
    field.get("type").unsupported("found " + quote(type) + ", expected ByteLevel, Replace, Fuse or Sequence");
  }
}

void Decoder::read_replace(const JsonField& field) {
  const JsonField pattern = field.get("pattern");
  if (pattern.has("Regex")) pattern.unsupported("found a Regex, expected a String");
  const JsonField from = pattern.get("String");
  if (from.as_string().empty()) from.unsupported("found an empty pattern");
  replacements_.emplace_back(from.as_string(), field.get("content").as_string());
}

std::string Decoder::bytes_of(std::string_view token) const {
  std::string text(token);
  for (const auto& [from, to] : replacements_) text = replace_all(text, from, to);
  if (!byte_level_) return text;
  // A token with a character that stands for no byte (most special tokens) is taken as it is spelled.
  return visible_to_bytes(text).value_or(text);
}

}  // namespace mla
