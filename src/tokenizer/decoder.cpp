#include "tokenizer/decoder.h"

#include <charconv>

#include "mla/error.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/component_count.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/quote.h"

namespace mla {
namespace {

constexpr std::int64_t kMostStripped = 1 << 20;

// What a token may become: a file of a few lines could make it any length, since each Replace may double it.
constexpr std::size_t kMostGrowth = 16;
constexpr std::size_t kMostOfAnyToken = 256;

/// Stops soon once it is longer than `most`.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to, std::size_t most) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t hit = text.find(from); hit != std::string_view::npos && result.size() <= most;
       hit = text.find(from, at)) {
    result.append(text.substr(at, hit - at)).append(to);
    at = hit + from.size();
  }
  return result.append(text.substr(at));
}

}  // namespace

std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  std::string_view digits = token.substr(3, 2);
  if (digits.front() == '+') digits.remove_prefix(1);  // Rust's from_str_radix takes a sign.
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<char>(static_cast<unsigned char>(value));
}

std::string_view strip(std::string_view text, const StripRule& rule) {
  for (std::size_t i = 0; i < rule.start && text.starts_with(rule.content); ++i)
    text.remove_prefix(rule.content.size());
  for (std::size_t i = 0; i < rule.stop && text.ends_with(rule.content); ++i)
    text.remove_suffix(rule.content.size());
  return text;
}

TokenDecoder::TokenDecoder(const JsonField& field) : file_(field.file()), place_(field.place()) {
  read(field);
}

void TokenDecoder::read(const JsonField& field) {
  const std::string& type = field.get("type").as_string();
  check_component_count(steps_.size() + join_.strips.size() + 1, field);
  if (type == "Sequence") {
    const JsonField members = field.get("decoders");
    for (std::size_t i = 0; i < members.array_size(); ++i) read(members.element(i));
  } else if (type == "Fuse") {
    stage_ = Stage::fused;
  } else if (type == "Strip" && stage_ != Stage::bytes_joined) {
    read_strip(field);
  } else if (type != "ByteLevel" && type != "ByteFallback" && type != "Replace" && type != "Metaspace") {
    field.get("type").unsupported(
        "found " + quote(type) +
        ", expected ByteLevel, ByteFallback, Replace, Metaspace, Strip, Fuse or Sequence");
  } else if (stage_ != Stage::tokens) {
    field.get("type").unsupported(
        "found " + quote(type) + " where the tokens are " +
        (stage_ == Stage::fused ? "one text already, expected Strip" : "bytes, expected Fuse"));
  } else if (type == "ByteLevel") {
    byte_level_ = true;
    stage_ = Stage::fused;
  } else if (type == "ByteFallback") {
    byte_fallback_ = true;
    stage_ = Stage::bytes_joined;
  } else if (type == "Replace") {
    read_replace(field);
  } else {
    read_metaspace(field);
  }
}

void TokenDecoder::read_replace(const JsonField& field) {
  const JsonField pattern = field.get("pattern");
  if (pattern.has("Regex")) pattern.unsupported("found a Regex, expected a String");
  const JsonField from = pattern.get("String");
  if (from.as_string().empty()) from.unsupported("found an empty pattern");
  steps_.push_back({Step::Kind::replace, from.as_string(), field.get("content").as_string(), false, {}});
}

void TokenDecoder::read_metaspace(const JsonField& field) {
  const Metaspace metaspace = read_metaspace_options(field);
  const bool drops = metaspace.prepend != Metaspace::Prepend::never;
  treats_first_ = treats_first_ || drops;
  steps_.push_back({Step::Kind::metaspace, metaspace.replacement, " ", drops, {}});
}

void TokenDecoder::read_strip(const JsonField& field) {
  const StripRule rule{read_character(field.get("content")),
                       static_cast<std::size_t>(field.get("start").as_int(0, kMostStripped)),
                       static_cast<std::size_t>(field.get("stop").as_int(0, kMostStripped))};
  if (stage_ == Stage::fused)
    join_.strips.push_back(rule);
  else
    steps_.push_back({Step::Kind::strip, {}, {}, false, rule});
}

DecodedToken TokenDecoder::decode(std::string_view token, bool first) const {
  DecodedToken result{std::string(token)};
  const std::size_t most = kMostOfAnyToken + kMostGrowth * token.size();
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::strip)
      result.bytes = strip(result.bytes, step.strip);
    else
      result.bytes = replace_all(result.bytes, step.from, first && step.drop_first ? "" : step.to, most);
    if (result.bytes.size() > most) {
      throw Error(ErrorCode::format, file_, place_,
                  "makes more than " + std::to_string(most) + " bytes of the token " + quote(token));
    }
  }
  if (byte_fallback_) {
    if (const std::optional<char> byte = fallback_byte(result.bytes)) return {std::string(1, *byte), true};
  }
  // A token with a character that stands for no byte (most special tokens) is taken as it is spelled.
  if (byte_level_) result.bytes = visible_to_bytes(result.bytes).value_or(result.bytes);
  return result;
}

}  // namespace mla
