// The patterns are facts of the models: those of llama-bpe, qwen2 and deepseek-v3 are held against the published
// tokenizer.json files; kimi-k2's stands in Moonshot's tokenization_kimi.py; the others are as llama.cpp's
// src/llama-vocab.cpp records them, together with the flags of each name.
#include "tokenizer/gguf_pre_tokenizers.h"

#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

namespace mla {
namespace {

Json split(const std::string& regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}

/// The splits one after another, then the bytes; `gpt2`: split by GPT-2's pattern before.
Json sequence(std::vector<Json> steps, bool gpt2 = false) {
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", gpt2}});
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

Json by_regexes(std::initializer_list<const char*> regexes) {
  std::vector<Json> steps;
  for (const char* regex : regexes) steps.push_back(split(regex));
  return sequence(std::move(steps));
}

GgufPreTokenizer gpt2() {
  return {.pre_tokenizer = sequence({}, true)};
}

/// Of files that tell of none. No model was trained with it; llama.cpp's choice.
GgufPreTokenizer fallback() {
  return {.pre_tokenizer =
              by_regexes({R"([\p{P}\$\+<=>\^~\|]+)",
                          R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))",
                          R"(\p{N}+)", "[0-9][0-9][0-9]"})};
}

GgufPreTokenizer single_digits() {
  return {.pre_tokenizer = sequence({{{"type", "Digits"}, {"individual_digits", true}}}, true)};
}

GgufPreTokenizer three_digits() {
  return {
      .pre_tokenizer = by_regexes(
          {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
           R"(\s*[\r\n]+|\s+(?!\S)|\s+)"})};
}

GgufPreTokenizer llama3() {
  GgufPreTokenizer result = three_digits();
  result.ignore_merges = true;
  result.add_bos = true;
  return result;
}

GgufPreTokenizer qwen2() {
  return {.pre_tokenizer = by_regexes(
              {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
               R"(\s*[\r\n]+|\s+(?!\S)|\s+)"}),
          .composed = true};
}

GgufPreTokenizer deepseek_llm() {
  // Letters of the scripts that have cases; as numbers, because normalization of this text would change some.
  const std::string cased =
      R"(A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af})"
      R"(\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1})"
      R"(\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5})"
      R"(\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-)"
      R"(\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57})"
      R"(\x{1f59}\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4})"
      R"(\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-)"
      R"(\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-)"
      R"(\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-)"
      R"(\x{2c7b}\x{2c7e}-\x{2ce4}\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722})"
      R"(-\x{a76f}\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17})"
      R"(\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80})"
      R"(-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}\x{1e900}-\x{1e943})";
  return {.pre_tokenizer =
              sequence({split("[\r\n]"), split(std::string(R"(\s?[)").append(cased).append("]+")),
                        split(R"(\s?[!-/:-~！-／：-～‘-‟\x{3000}-。]+)"), split(R"(\s+$)"),
                        split("[一-龥ࠀ-一가-퟿]+"), split(R"(\p{N}+)")})};
}

GgufPreTokenizer deepseek_coder() {
  return {.pre_tokenizer =
              by_regexes({"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+", R"(\p{N})"})};
}

GgufPreTokenizer deepseek_v3() {
  return {.pre_tokenizer = by_regexes(
              {R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+",
               R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
               R"( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"})};
}

GgufPreTokenizer kimi_k2() {
  // \p{Script=Han} of Unicode 16. The pattern's own [..&&[^\p{Han}]] is written as a look ahead.
  const std::string han =
      R"(\x{2e80}-\x{2e99}\x{2e9b}-\x{2ef3}\x{2f00}-\x{2fd5}\x{3005}\x{3007}\x{3021}-\x{3029}\x{3038}-\x{303b})"
      R"(\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{f900}-\x{fa6d}\x{fa70}-\x{fad9}\x{16fe2}-\x{16fe3}\x{16ff0}-\x{16ff1})"
      R"(\x{20000}-\x{2a6df}\x{2a700}-\x{2b739}\x{2b740}-\x{2b81d}\x{2b820}-\x{2cea1}\x{2ceb0}-\x{2ebe0})"
      R"(\x{2ebf0}-\x{2ee5d}\x{2f800}-\x{2fa1d}\x{30000}-\x{3134a}\x{31350}-\x{323af})";
  const std::string upper = "(?:(?![" + han + R"(])[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]))";
  const std::string lower = "(?:(?![" + han + R"(])[\p{Ll}\p{Lm}\p{Lo}\p{M}]))";
  const std::string ending = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)";
  const std::string before = R"([^\r\n\p{L}\p{N}]?)";
  std::string regex("[");
  regex.append(han).append("]+|");
  regex.append(before).append(upper).append("*").append(lower).append("+").append(ending).append("|");
  regex.append(before).append(upper).append("+").append(lower).append("*").append(ending).append("|");
  regex.append(R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
  return {.pre_tokenizer = sequence({split(regex)})};
}

GgufPreTokenizer youtu() {
  return {.pre_tokenizer =
              by_regexes({R"([가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|)"
                          R"([ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+)",
                          R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                          R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|)"
                          R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
                          R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|)"
                          R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}),
          .ignore_merges = true};
}

GgufPreTokenizer tekken() {
  return {.pre_tokenizer =
              by_regexes({R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
                          R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
                          R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}),
          .ignore_merges = true,
          .add_bos = true};
}

struct Entry {
  std::string_view name;
  GgufPreTokenizer (*make)();
};

constexpr std::array<Entry, 17> kEntries = {{{"default", fallback},
                                             {"gpt-2", gpt2},
                                             {"llama-bpe", llama3},
                                             {"llama3", llama3},
                                             {"llama-v3", llama3},
                                             {"smollm", single_digits},
                                             {"starcoder", single_digits},
                                             {"qwen2", qwen2},
                                             {"deepseek-r1-qwen", qwen2},
                                             {"deepseek-llm", deepseek_llm},
                                             {"deepseek-coder", deepseek_coder},
                                             {"deepseek-v3", deepseek_v3},
                                             {"kimi-k2", kimi_k2},
                                             {"glm4", three_digits},
                                             {"chatglm-bpe", three_digits},
                                             {"youtu", youtu},
                                             {"tekken", tekken}}};

}  // namespace

std::optional<GgufPreTokenizer> find_gguf_pre_tokenizer(std::string_view name) {
  for (const Entry& entry : kEntries)
    if (entry.name == name) return entry.make();
  return std::nullopt;
}

std::string gguf_pre_tokenizer_names() {
  std::string names;
  for (const Entry& entry : kEntries) names.append(names.empty() ? "" : ", ").append(entry.name);
  return names;
}

}  // namespace mla
