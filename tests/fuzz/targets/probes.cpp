// probes.jsonl of an evaluation set, a line a probe.
#include "fuzz/fuzz.h"
#include "lab/evaluation_set.h"
#include "mla/tokenizer.h"

namespace mla::fuzz {
namespace {

constexpr std::string_view kTokenizer = R"({
  "added_tokens": [],
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
  "decoder": {"type": "ByteLevel"},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3}, "merges": ["a b"]}})";

void run(std::string_view input) {
  static InputFile file("probes.jsonl");
  static const auto documents = file.folder().write("documents.txt", "ab c ab c\ncab cab cab\n");
  static const auto tokenizer = Tokenizer::load(file.folder().write("tokenizer.json", kTokenizer));
  file.put(input);
  lab::tokenize(lab::read_evaluation_set(file.folder().path()), *tokenizer, 1);
}

}  // namespace

// The cache of words has a fixed size.
const Target kTarget{.allocation_base = std::size_t{2} << 20, .run = run};

}  // namespace mla::fuzz
