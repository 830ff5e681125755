// JSON lines as `mla tokenize --jsonl` reads them: texts, and with --decode ids.
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

void run(std::string_view input) {
  static const ScratchFolder folder;
  static const auto tokenizer = Tokenizer::load(folder.write("tokenizer.json", kTokenizer));
  for (std::size_t number = 1; !input.empty(); ++number) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string source = "stdin line " + std::to_string(number);
    for (const bool decode : {false, true}) {
      try {
        cli::tokenize_line(*tokenizer, input.substr(0, end), source, {.decode = decode, .special = true});
      } catch (const Error& error) {
        // The other way of reading it may still be right, and the lines behind it.
        if (error.file().empty() && error.code() != ErrorCode::argument) throw;
      }
    }
    input.remove_prefix(std::min(end + 1, input.size()));
  }
}

}  // namespace

// The cache of words has a fixed size.
const Target kTarget{.allocation_base = std::size_t{2} << 20, .run = run};

}  // namespace mla::fuzz
