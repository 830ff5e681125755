// JSON lines as `mla tokenize --jsonl` reads them: texts, and with --decode ids.
#include "base/json.h"
#include "cli/tokenize_line.h"
#include "fuzz/fuzz.h"
#include "mla/error.h"

namespace mla::fuzz {
namespace {

constexpr std::string_view kTokenizer = R"({
  "added_tokens": [{"id": 4, "content": "<s>", "special": true, "lstrip": true},
                   {"id": 8, "content": "ca", "single_word": true, "rstrip": true}],
  "normalizer": {"type": "NFC"},
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
  "post_processor": null,
  "decoder": {"type": "ByteLevel"},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "Ġ": 5, "Ã": 6, "©": 7},
            "merges": ["a b"]}})";

/// A line that is refused does not keep the lines behind it from being read.
void attempt(const auto& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.file().empty() && error.code() != ErrorCode::argument) throw;
  }
}

void read_line(const Tokenizer& tokenizer, std::string_view line, const std::string& source) {
  parse_json(line, source, line.size());  // Most inputs are no JSON: once is enough.
  for (const bool decode : {false, true})
    attempt([&] { cli::tokenize_line(tokenizer, line, source, {.decode = decode, .special = true}); });
}

void run(std::string_view input) {
  constexpr std::size_t kMostLines = 8;  // One does not change how another is read.
  static const ScratchFolder folder;
  static const auto tokenizer = Tokenizer::load(folder.write("tokenizer.json", kTokenizer));
  for (std::size_t number = 1; number <= kMostLines && !input.empty(); ++number) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    attempt([&] { read_line(*tokenizer, input.substr(0, end), "stdin line " + std::to_string(number)); });
    input.remove_prefix(std::min(end + 1, input.size()));
  }
}

}  // namespace

// The cache of words has a fixed size.
const Target kTarget{.allocation_base = std::size_t{2} << 20, .run = run};

}  // namespace mla::fuzz
