// A family of untrained members, made of one golden checkpoint, whose tokens are bytes and the pair "qu".
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "mla/session.h"
#include "unit/base/scratch_folder.h"
#include "unit/formats/format_files.h"
#include "unit/model/checkpoint_copy.h"

namespace small_family {

/// tokenizer.json: id 0 begins every text, 1 to 26 are the letters, 27 the space, 28 "qu".
inline std::string tokenizer() {
  mla::Json vocab = {{"<s>", 0}, {"\u0120", 27}, {"qu", 28}};
  for (int i = 0; i < 26; ++i) vocab[std::string(1, static_cast<char>('a' + i))] = 1 + i;
  const mla::Json bytes = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
  const mla::Json bos = {{"id", 0},         {"content", "<s>"},    {"single_word", false}, {"lstrip", false},
                         {"rstrip", false}, {"normalized", false}, {"special", true}};
  const mla::Json first = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  const mla::Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const mla::Json other = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  const mla::Json special = {
      {"id", "<s>"}, {"ids", mla::Json::array({0})}, {"tokens", mla::Json::array({"<s>"})}};
  return mla::Json{{"version", "1.0"},
                   {"truncation", nullptr},
                   {"padding", nullptr},
                   {"added_tokens", mla::Json::array({bos})},
                   {"normalizer", nullptr},
                   {"pre_tokenizer", bytes},
                   {"post_processor",
                    {{"type", "TemplateProcessing"},
                     {"single", mla::Json::array({first, text})},
                     {"pair", mla::Json::array({first, text, other})},
                     {"special_tokens", {{"<s>", special}}}}},
                   {"decoder", bytes},
                   {"model",
                    {{"type", "BPE"},
                     {"dropout", nullptr},
                     {"unk_token", nullptr},
                     {"continuing_subword_prefix", nullptr},
                     {"end_of_word_suffix", nullptr},
                     {"fuse_unk", false},
                     {"byte_fallback", false},
                     {"ignore_merges", false},
                     {"vocab", vocab},
                     {"merges", mla::Json::array({"q u"})}}}}
      .dump();
}

/// Letters and spaces without "qu", never the same twice.
inline std::string letters(std::size_t count, unsigned seed) {
  std::string text;
  for (unsigned state = 2 * seed + 1; text.size() < count; state = state * 1664525U + 1013904223U)
    text += "abcdefghijklmnoprstuvwxyz "[(state >> 16U) % 26U];
  return text;
}

inline std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& line : all) {
    text += line;
    text += '\n';
  }
  return text;
}

class Family {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }

  /// A member in the folder `name`, trained (so it says) with `encoding` at `length`.
  void add(const std::string& name, const std::string& encoding, std::size_t length) const {
    std::filesystem::create_directories(path() / name);
    checkpoint_copy::Copy copy("v3_dense_only");
    copy.config["position_encoding"] = encoding;
    copy.config["max_position_embeddings"] = length;
    if (encoding == "learned") {
      const std::size_t hidden_size = copy.config["hidden_size"].get<std::size_t>();
      std::vector<float> table(length * hidden_size);
      for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i % 7) * 0.01F - 0.03F;
      copy.tensors.push_back({"model.embed_positions.weight", "F32",
                              mla::Json::array({length, hidden_size}).dump(),
                              checkpoint_copy::floats(table)});
    }
    write(name + "/config.json", copy.config.dump());
    write(name + "/model.safetensors", format_files::safetensors(copy.tensors));
    write(name + "/tokenizer.json", tokenizer());
  }

  void add(const std::string& encoding, std::size_t length) const { add(encoding, encoding, length); }

  void evaluation(const std::string& documents, const std::string& probes) const {
    std::filesystem::create_directories(path() / "evaluation");
    write("evaluation/documents.txt", documents);
    write("evaluation/probes.jsonl", probes);
  }

  void write(const std::string& name, const std::string& content) const { folder_.write(name, content); }

 private:
  ScratchFolder folder_;
};

}  // namespace small_family
