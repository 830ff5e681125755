#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "convert/folder_tokenizer.h"
#include "mla/error.h"
#include "tokenizer/gguf_pre_tokenizers.h"
#include "tokenizer/quote.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

bool flag(const Json& step, const char* key, bool otherwise) {
  const auto found = step.find(key);
  return found == step.end() || found->is_null() ? otherwise : found->get<bool>();
}

/// Reads hexadecimal digits in braces, as in \x{4e00}, at `at`, which moves behind them; nothing if there are none.
std::optional<std::uint32_t> take_braced_hex(std::string_view text, std::size_t& at) {
  const std::size_t end = text.find('}', at);
  if (at >= text.size() || text[at] != '{' || end == std::string_view::npos) return std::nullopt;
  std::uint32_t value = 0;
  const auto [rest, error] = std::from_chars(text.data() + at + 1, text.data() + end, value, 16);
  if (error != std::errc() || rest != text.data() + end) return std::nullopt;
  at = end + 1;
  return value;
}

/// The pattern with its characters as they are where it names them by \r, \n, \t or \x{...}: files and tables differ
/// in that.
std::string plain_pattern(std::string_view regex) {
  std::string plain;
  for (std::size_t at = 0; at < regex.size();) {
    if (regex[at] != '\\' || at + 1 == regex.size()) {
      plain += regex[at++];
      continue;
    }
    const char escaped = regex[at + 1];
    std::size_t behind = at + 2;
    constexpr std::string_view kNames = "rnt";
    constexpr std::string_view kCharacters = "\r\n\t";
    std::optional<std::uint32_t> code;
    if (escaped == 'x') code = take_braced_hex(regex, behind);
    constexpr std::uint32_t kAscii = 0x80;  // Below, a character may mean something else than itself.
    if (code && *code < kAscii) {
      plain.append(regex.substr(at, behind - at));
      at = behind;
      continue;
    }
    if (const std::size_t named = kNames.find(escaped); named != std::string_view::npos)
      plain += kCharacters[named];
    else if (code)
      append_utf8(plain, *code);
    else
      plain.append(1, '\\').append(1, escaped);
    at = behind;
  }
  return plain;
}

Json plain_pattern_of(const Json& pattern) {
  const auto regex = pattern.find("Regex");
  return regex == pattern.end() ? pattern : Json{{"Regex", plain_pattern(regex->get<std::string>())}};
}

/// Appends the steps of a pre-tokenizer that was read without complaint, each with all its settings, so that equal
/// steps are equal texts.
void append_steps(const Json& step, Json& steps) {
  const std::string type = step.at("type").get<std::string>();
  if (type == "Sequence") {
    for (const Json& member : step.at("pretokenizers")) append_steps(member, steps);
  } else if (type == "Split") {
    steps.push_back(
        {type, plain_pattern_of(step.at("pattern")), step.at("behavior"), flag(step, "invert", false)});
  } else if (type == "Digits") {
    steps.push_back({type, flag(step, "individual_digits", false)});
  } else if (type == "ByteLevel") {
    steps.push_back({type, flag(step, "add_prefix_space", true), flag(step, "use_regex", true)});
  } else {
    steps.push_back(step);
  }
}

Json steps_of(const Json& pre_tokenizer) {
  Json steps = Json::array();
  append_steps(pre_tokenizer, steps);
  return steps;
}

/// Whether the normalizer brings text to the form NFC and does nothing else; nothing if it does something else.
std::optional<bool> composes(const JsonField& root) {
  const auto normalizer = root.find("normalizer");
  if (!normalizer) return false;
  const std::string& type = normalizer->get("type").as_string();
  if (type == "NFC") return true;
  if (type == "Sequence" && normalizer->get("normalizers").array_size() == 0) return false;
  return std::nullopt;
}

/// The names that GGUF has, in the order of the table.
std::vector<std::string> known_names() {
  const std::string all = gguf_pre_tokenizer_names();
  constexpr std::string_view kSeparator = ", ";
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find(kSeparator, begin), all.size());
    names.push_back(all.substr(begin, end - begin));
    begin = end + kSeparator.size();
  }
  return names;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// llama.cpp's deepseek-llm splits runs of digits where the published tokenizer splits single digits. That is the same
/// as long as no merge joins digits.
Json with_runs_of_digits(Json steps, const MergeList& merges) {
  for (std::size_t i = 0; i < merges.size(); ++i)
    if (!merges.left(i).empty() && !merges.right(i).empty() && is_digit(merges.left(i).back()) &&
        is_digit(merges.right(i).front()))
      return steps;
  const Json single = {"Digits", true};
  const Json runs = {"Split", Json{{"Regex", R"(\p{N}+)"}}, "Isolated", false};
  for (Json& step : steps)
    if (step == single) step = runs;
  return steps;
}

std::string find_name(const JsonField& root, const MergeList& merges) {
  const auto pre_tokenizer = root.find("pre_tokenizer");
  const std::optional<bool> composed = composes(root);
  if (!composed)
    root.get("normalizer")
        .unsupported("found " + quote(root.get("normalizer").json().dump()) +
                     ", GGUF has a form for none and NFC only");
  const auto ignore_merges = root.get("model").find("ignore_merges");
  if (pre_tokenizer) {
    const Json steps = steps_of(pre_tokenizer->json());
    const Json in_runs = with_runs_of_digits(steps, merges);
    for (const std::string& name : known_names()) {
      const GgufPreTokenizer known = *find_gguf_pre_tokenizer(name);
      // "default" is what llama.cpp makes of files that say nothing.
      const Json known_steps = steps_of(known.pre_tokenizer);
      if (name != "default" && known.composed == *composed &&
          known.ignore_merges == (ignore_merges && ignore_merges->as_bool()) &&
          (known_steps == steps || known_steps == in_runs))
        return name;
    }
  }
  throw Error(
      ErrorCode::unsupported, root.file(), "pre_tokenizer",
      "found a way of splitting text (with its normalizer and ignore_merges) that GGUF has no name for, "
      "expected one of " +
          gguf_pre_tokenizer_names());
}

/// "a b". Bytes are visible characters here, so that a space is never part of a token.
std::vector<std::string> merges_of(const MergeList& merges) {
  std::vector<std::string> texts;
  texts.reserve(merges.size());
  for (std::size_t i = 0; i < merges.size(); ++i)
    texts.push_back(std::string(merges.left(i)).append(" ").append(merges.right(i)));
  return texts;
}

}  // namespace

void describe_byte_level_tokenizer(const TokenizerDocument& document, const std::string& file,
                                   std::size_t vocab_size, GgufMetadata& metadata) {
  const JsonField root(document.rest, file);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const auto affix = root.get("model").find(key); affix && !affix->as_string().empty())
      affix->unsupported("found " + quote(affix->as_string()) + ", for which GGUF has no form");
  const std::string name = find_name(root, *document.merges);
  const TokenList tokens(document, file, vocab_size, false);
  metadata.add_string("tokenizer.ggml.model", "gpt2");
  metadata.add_string("tokenizer.ggml.pre", name);
  metadata.add_strings("tokenizer.ggml.tokens", tokens.texts);
  metadata.add_int32s("tokenizer.ggml.token_type", tokens.types);
  metadata.add_strings("tokenizer.ggml.merges", merges_of(*document.merges));
}

}  // namespace mla
