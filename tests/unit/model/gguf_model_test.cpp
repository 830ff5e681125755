// GGUF files as models: what is found at a path, tensors' names in errors, and what inspect shows.
#include "model/gguf_model.h"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <string>

#include "mla/model.h"
#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"
#include "unit/formats/gguf_files.h"

using gguf_files::GgufBuilder;
using mla::ErrorCode;
using mla::Model;

namespace {

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(MLA_TEST_DATA_DIR "/golden/gguf") / name / "model.gguf";
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A gpt2 of one block and two values, with a matrix and a vector changed.
GgufBuilder small(std::vector<std::uint64_t> up = {2, 3}, const std::string& extra = "") {
  GgufBuilder builder;
  builder.string("general.architecture", "gpt2")
      .uint32("gpt2.vocab_size", 3)
      .uint32("gpt2.block_count", 1)
      .uint32("gpt2.context_length", 4)
      .uint32("gpt2.embedding_length", 2)
      .uint32("gpt2.feed_forward_length", 3)
      .uint32("gpt2.attention.head_count", 1)
      .float32("gpt2.attention.layer_norm_epsilon", 1e-5F)
      .uint32("general.file_type", 0)
      .string("general.name", "small")
      .uint32("tokenizer.ggml.bos_token_id", 0)
      .uint32("tokenizer.ggml.eos_token_id", 1)
      .uint32("tokenizer.ggml.eot_token_id", 2)
      .uint32("tokenizer.ggml.eom_token_id", 1)
      .float32("general.sampling.temp", 0.5F);
  const auto add = [&](const std::string& name, const std::vector<std::uint64_t>& dims) {
    std::size_t count = 1;
    for (const std::uint64_t dim : dims) count *= dim;
    builder.f32_tensor(name, dims, std::vector<float>(count, 0.5F));
  };
  add("token_embd.weight", {2, 3});
  add("position_embd.weight", {2, 4});
  for (const char* norm : {"output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"})
    for (const char* kind : {".weight", ".bias"}) add(std::string(norm) + kind, {2});
  add("blk.0.attn_qkv.weight", {2, 6});
  add("blk.0.attn_qkv.bias", {6});
  add("blk.0.attn_output.weight", {2, 2});
  add("blk.0.attn_output.bias", {2});
  if (!up.empty()) add("blk.0.ffn_up.weight", up);
  add("blk.0.ffn_up.bias", {3});
  add("blk.0.ffn_down.weight", {3, 2});
  add("blk.0.ffn_down.bias", {2});
  if (!extra.empty()) add(extra, {2});
  return builder;
}

void check_refused(const std::filesystem::path& path, ErrorCode code, const std::string& field,
                   const std::string& part) {
  const mla::Error error = thrown_by([&] { Model::load(path); });
  CAPTURE(error.what());
  CHECK(error.code() == code);
  CHECK(error.field() == field);
  CHECK(std::string(error.what()).find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("gguf model: a file, and what it says of itself", "[gguf]") {
  const ScratchFolder folder;
  const auto model = Model::load(folder.write("m.gguf", small().bytes()));
  const mla::ModelInfo& info = model->info();
  CHECK(info.format == "GGUF v3");
  CHECK(info.file_type == "F32");
  CHECK(info.architecture == "gpt2");
  CHECK_FALSE(info.tokenizer);
  CHECK_FALSE(info.chat_template);
  CHECK(info.ignored_config == std::vector<std::string>{"general.name"});
  const mla::GenerationConfig& generation = model->generation_config();
  CHECK(generation.bos_token_id == 0);
  CHECK(generation.eos_token_ids == std::vector<mla::TokenId>{1, 2});  // End of text, turn, message.
  CHECK(generation.temperature == 0.5);
  CHECK(generation.do_sample == true);
  CHECK_FALSE(generation.top_k.has_value());

  const auto old = Model::load(golden("llama_old"));
  CHECK(old->info().format == "GGUF v2");
  CHECK(old->info().file_type == "F16");
  CHECK(old->info().tokenizer);
}

TEST_CASE("gguf model: errors name a tensor as the file does, then as transformers does", "[gguf]") {
  const ScratchFolder folder;
  check_refused(folder.write("shape.gguf", small({3, 2}).bytes()), ErrorCode::mismatch,
                "blk.0.ffn_up.weight (transformer.h.0.mlp.c_fc.weight)",
                "found shape [2, 3], expected [3, 2]");
  check_refused(folder.write("missing.gguf", small({}).bytes()), ErrorCode::mismatch,
                "blk.0.ffn_up.weight (transformer.h.0.mlp.c_fc.weight)", "missing, expected shape [3, 2]");
  check_refused(folder.write("extra.gguf", small({2, 3}, "blk.0.attn_sinks.weight").bytes()),
                ErrorCode::mismatch, "blk.0.attn_sinks.weight", "found a tensor that the model");
  check_refused(folder.write("beyond.gguf", small({2, 3}, "blk.1.ffn_up.bias").bytes()), ErrorCode::mismatch,
                "blk.1.ffn_up.bias (transformer.h.1.mlp.c_fc.bias)", "found a tensor that the model");
}

TEST_CASE("gguf model: errors of the config name the file's keys", "[gguf]") {
  std::string bytes = content_of(golden("llama"));
  const std::string_view key = "llama.attention.head_count_kv";
  const std::size_t value = bytes.find(key) + key.size() + 4;  // Behind the type.
  REQUIRE(bytes.substr(value - 4, 5) == std::string("\4\0\0\0\2", 5));
  bytes[value] = 3;
  const ScratchFolder folder;
  check_refused(folder.write("m.gguf", bytes), ErrorCode::format,
                "llama.attention.head_count_kv (num_key_value_heads)",
                "found 3, expected a divisor of num_attention_heads");
}

TEST_CASE("gguf model: versions and types of the file that mla does not know", "[gguf]") {
  const ScratchFolder folder;
  GgufBuilder type;
  type.string("general.architecture", "gpt2").uint32("general.file_type", 999);
  check_refused(folder.write("type.gguf", type.bytes()), ErrorCode::unsupported, "general.file_type",
                "found 999");
  GgufBuilder version;
  version.string("general.architecture", "gpt2").uint32("general.quantization_version", 1);
  check_refused(folder.write("version.gguf", version.bytes()), ErrorCode::unsupported,
                "general.quantization_version", "found 1, expected 2");
}

TEST_CASE("gguf model: what is found at a path", "[gguf]") {
  const ScratchFolder folder;
  check_refused(folder.write("text", "no model"), ErrorCode::io, "",
                "expected a GGUF file or a model folder");
  check_refused(folder.path() / "nowhere", ErrorCode::io, "", "config.json");
  check_refused(folder.path(), ErrorCode::io, "", "config.json");  // No GGUF file in it.
  folder.write("a.gguf", small().bytes());
  CHECK(Model::load(folder.path())->info().format == "GGUF v3");
  folder.write("b.gguf", small().bytes());
  check_refused(folder.path(), ErrorCode::io, "", "several models (a.gguf, b.gguf)");
  folder.write("config.json", "{}");
  check_refused(folder.path(), ErrorCode::format, "model_type", "missing");
}

TEST_CASE("gguf model: a split file by any of its parts and by its folder", "[gguf]") {
  const ScratchFolder folder;
  const auto split = [](GgufBuilder& builder, std::uint16_t number) -> GgufBuilder& {
    return builder.entry("split.no", mla::GgufType::uint16, gguf_files::raw(number))
        .entry("split.count", mla::GgufType::uint16, gguf_files::raw(std::uint16_t{2}))
        .entry("split.tensors.count", mla::GgufType::int32, gguf_files::raw(std::int32_t{16}));
  };
  GgufBuilder first = small({});
  GgufBuilder second;
  second.f32_tensor("blk.0.ffn_up.weight", {2, 3}, std::vector<float>(6, 0.5F));
  folder.write("m-00001-of-00002.gguf", split(first, 0).bytes());
  folder.write("m-00002-of-00002.gguf", split(second, 1).bytes());
  const std::size_t whole = [] {
    const ScratchFolder other;
    return Model::load(other.write("m.gguf", small().bytes()))->info().parameters;
  }();
  for (const auto& path :
       {folder.path(), folder.path() / "m-00001-of-00002.gguf", folder.path() / "m-00002-of-00002.gguf"})
    CHECK(Model::load(path)->info().parameters == whole);
  folder.write("other-00001-of-00002.gguf", "");
  check_refused(folder.path(), ErrorCode::io, "", "several models");
}

TEST_CASE("gguf model: a file that ends early is refused", "[gguf]") {
  const ScratchFolder folder;
  const std::string whole = content_of(golden("deepseek2_v3_blocks"));
  for (std::size_t length = 0; length < whole.size(); length += 1 + length / 3)
    CHECK_THROWS_AS(Model::load(folder.write("m.gguf", whole.substr(0, length))), mla::Error);
}
