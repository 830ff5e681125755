// tokenizer_config.json beside a tokenizer.json: for the tokenizer, and with its chat template for `mla quantize`.
#include "base/json.h"
#include "convert/folder.h"
#include "fuzz/fuzz.h"
#include "fuzz/tokenizer_exercise.h"

namespace mla::fuzz {
namespace {

constexpr std::string_view kTokenizer = R"({
  "added_tokens": [{"id": 4, "content": "<s>", "special": true}, {"id": 5, "content": "</s>", "special": true}],
  "normalizer": null,
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
  "post_processor": null,
  "decoder": {"type": "ByteLevel"},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3}, "merges": ["a b"]}})";

void run(std::string_view input) {
  static InputFile file("tokenizer_config.json");
  static const std::filesystem::path tokenizer = file.folder().write("tokenizer.json", kTokenizer);
  // Most inputs are no JSON, and are refused without a tokenizer.
  parse_json(input, "tokenizer_config.json");
  file.put(input);
  exercise(*Tokenizer::load(file.folder().path()), "ab<s>c");
  const std::string folder = file.folder().path().string();
  const ModelSource source{.path = folder,
                           .format = "safetensors",
                           .file_type = {},
                           .config = Json::object(),
                           .config_file = folder + "/config.json",
                           .config_names = {},
                           .checkpoint = Checkpoint(folder, nullptr, {}, {}),
                           .generation = {},
                           .unread_metadata = std::nullopt};
  GgufMetadata metadata;
  describe_tokenizer(source, 8, metadata);
}

}  // namespace

// The cache of words has a fixed size.
const Target kTarget{.allocation_base = std::size_t{2} << 20, .run = run};

}  // namespace mla::fuzz
