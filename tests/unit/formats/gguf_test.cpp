#include "formats/gguf.h"

#include <catch2/catch.hpp>

#include <limits>

#include "format_files.h"
#include "gguf_files.h"
#include "tensor/dtype.h"

using namespace mla;
using namespace format_files;
using namespace gguf_files;

namespace {

GgufBuilder small_builder() {
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .uint32("llama.block_count", 7)
      .float32("llama.rope.freq_base", 10000.0F)
      .boolean("tokenizer.ggml.add_bos_token", true)
      .strings("tokenizer.ggml.tokens", {"<unk>", "", "caf\xc3\xa9"})
      .int32s("tokenizer.ggml.token_type", {2, -3, 1})
      .float32s("tokenizer.ggml.scores", {0.0F, -1.5F, 2.0F})
      .f32_tensor("norm", {3}, {1, 2, 3})
      .tensor("matrix", {32, 2}, 2, std::string(36, 'q'))
      .f32_tensor("last", {1, 2, 1}, {4, 5});
  return builder;
}

std::vector<float> floats_of(const GgufTensor& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

}  // namespace

TEST_CASE("a GGUF file gives its metadata and tensors without copying", "[formats][gguf]") {
  const Folder folder;
  for (const std::uint32_t version : {2U, 3U}) {
    const GgufFile file(folder.write("m.gguf", small_builder().version(version).bytes()));
    REQUIRE(file.version() == version);
    REQUIRE(file.alignment() == 32);
    REQUIRE(file.metadata().size() == 7);
    REQUIRE(file.string("general.architecture") == "llama");
    REQUIRE(file.integer("llama.block_count", 0, 100) == 7);
    REQUIRE(file.number("llama.rope.freq_base") == 10000.0);
    REQUIRE(file.boolean("tokenizer.ggml.add_bos_token") == true);
    REQUIRE(*file.strings("tokenizer.ggml.tokens") == GgufValue::Strings{"<unk>", "", "caf\xc3\xa9"});
    REQUIRE(*file.integers("tokenizer.ggml.token_type") == GgufValue::Integers{2, -3, 1});
    REQUIRE(*file.numbers("tokenizer.ggml.scores") == GgufValue::Numbers{0, -1.5, 2});

    REQUIRE(file.tensors().size() == 3);
    REQUIRE(file.tensors()[0].name == "norm");
    REQUIRE(file.tensors()[0].dtype == "F32");
    REQUIRE(floats_of(file.tensors()[0]) == std::vector<float>{1, 2, 3});
    const GgufTensor* const matrix = file.find_tensor("matrix");
    REQUIRE(matrix == &file.tensors()[1]);
    REQUIRE(matrix->dtype == "Q4_0");
    REQUIRE(matrix->shape == std::vector<std::size_t>{2, 32});  // Outermost first.
    REQUIRE(matrix->data.size() == 36);
    REQUIRE(matrix->data.data() == file.tensors()[0].data.data() + 32);  // In place.
    REQUIRE(file.find_tensor("last")->shape == std::vector<std::size_t>{1, 2, 1});
    REQUIRE(floats_of(*file.find_tensor("last")) == std::vector<float>{4, 5});
    REQUIRE(file.find_tensor("matri") == nullptr);
  }
}

TEST_CASE("keys that are absent, of another type or out of range", "[formats][gguf]") {
  const Folder folder;
  const GgufFile file(
      folder.write("m.gguf", small_builder()
                                 .float32("inf", std::numeric_limits<float>::infinity())
                                 .uint32("no_token", std::numeric_limits<std::uint32_t>::max())
                                 .bytes()));
  REQUIRE(file.find("x") == nullptr);
  REQUIRE_FALSE(file.string("x").has_value());
  REQUIRE_FALSE(file.integer("x", 0, 1).has_value());
  REQUIRE_FALSE(file.token("x", 1).has_value());
  REQUIRE_FALSE(file.token("no_token", 1).has_value());
  REQUIRE(file.token("llama.block_count", 8) == 7);
  REQUIRE_FALSE(file.number("x").has_value());
  REQUIRE_FALSE(file.boolean("x").has_value());
  REQUIRE(file.strings("x") == nullptr);
  REQUIRE(file.integers("x") == nullptr);
  REQUIRE(file.numbers("x") == nullptr);
  REQUIRE(file.booleans("x") == nullptr);

  const auto refusal = [&](const std::string& key, auto body) {
    const Error error = thrown_by(body);
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(error.file() == file.name());
    REQUIRE(error.field() == key);
    return std::string(error.what());
  };
  REQUIRE(contains(refusal("llama.block_count", [&] { file.integer("llama.block_count", 8, 9); }),
                   "found 7, expected 8 to 9"));
  REQUIRE(contains(refusal("llama.block_count", [&] { file.integer("llama.block_count", 0, 6); }),
                   "found 7, expected 0 to 6"));
  REQUIRE(contains(refusal("llama.block_count", [&] { file.token("llama.block_count", 7); }),
                   "found 7, expected 0 to 6"));
  REQUIRE(contains(refusal("inf", [&] { file.token("inf", 1); }), "found float32, expected an integer"));
  REQUIRE(contains(refusal("llama.block_count", [&] { file.number("llama.block_count"); }),
                   "found uint32, expected a floating-point number"));
  REQUIRE(contains(refusal("inf", [&] { file.number("inf"); }), "expected a finite number"));
  REQUIRE(contains(refusal("inf", [&] { file.integer("inf", 0, 1); }), "found float32, expected an integer"));
  REQUIRE(contains(refusal("inf", [&] { file.string("inf"); }), "expected a string"));
  REQUIRE(contains(refusal("inf", [&] { file.boolean("inf"); }), "expected a bool"));
  const std::string tokens = "tokenizer.ggml.tokens";
  REQUIRE(contains(refusal(tokens, [&] { file.integers(tokens); }),
                   "found array of string, expected an array of integers"));
  REQUIRE(contains(refusal(tokens, [&] { file.numbers(tokens); }), "an array of floating-point numbers"));
  REQUIRE(contains(refusal(tokens, [&] { file.booleans(tokens); }), "expected an array of bools"));
  REQUIRE(contains(refusal("inf", [&] { file.strings("inf"); }), "expected an array of strings"));
}

TEST_CASE("every metadata type of GGUF, alone and in arrays", "[formats][gguf]") {
  const Folder folder;
  struct Case {
    GgufType type;
    std::string bytes;
    std::int64_t expected;
  };
  const std::vector<Case> integers = {
      {GgufType::uint8, raw(std::uint8_t{255}), 255},
      {GgufType::int8, raw(std::int8_t{-128}), -128},
      {GgufType::uint16, raw(std::uint16_t{65535}), 65535},
      {GgufType::int16, raw(std::int16_t{-32768}), -32768},
      {GgufType::uint32, raw(std::uint32_t{4294967295U}), 4294967295},
      {GgufType::int32, raw(std::int32_t{-2147483647}), -2147483647},
      {GgufType::uint64, raw(std::uint64_t{9223372036854775807U}), 9223372036854775807},
      {GgufType::int64, raw(std::int64_t{-9223372036854775807}), -9223372036854775807},
  };
  for (const Case& each : integers) {
    const GgufFile file(folder.write("m", GgufBuilder()
                                              .entry("one", each.type, each.bytes)
                                              .array("two", each.type, 2, each.bytes + each.bytes)
                                              .bytes()));
    constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
    constexpr auto kGreatest = std::numeric_limits<std::int64_t>::max();
    REQUIRE(file.integer("one", kLeast, kGreatest) == each.expected);
    REQUIRE(*file.integers("two") == GgufValue::Integers{each.expected, each.expected});
    REQUIRE(file.find("one")->type == each.type);
    REQUIRE(file.find("two")->type == GgufType::array);
    REQUIRE(file.find("two")->element_type == each.type);
  }
  const GgufFile file(folder.write("m", GgufBuilder()
                                            .entry("f64", GgufType::float64, raw(0.1))
                                            .array("f64s", GgufType::float64, 2, raw(0.1) + raw(-0.2))
                                            .array("bools", GgufType::boolean, 3, std::string("\1\0\1", 3))
                                            .array("none", GgufType::string, 0, "")
                                            .bytes()));
  REQUIRE(file.number("f64") == 0.1);
  REQUIRE(*file.numbers("f64s") == GgufValue::Numbers{0.1, -0.2});
  REQUIRE(*file.booleans("bools") == GgufValue::Booleans{true, false, true});
  REQUIRE(file.strings("none")->empty());
}

TEST_CASE("every tensor type of ggml that mla computes with", "[formats][gguf]") {
  const Folder folder;
  const std::vector<std::pair<std::uint32_t, std::string>> types = {
      {0, "F32"},   {1, "F16"},   {30, "BF16"}, {2, "Q4_0"},    {3, "Q4_1"},
      {6, "Q5_0"},  {7, "Q5_1"},  {8, "Q8_0"},  {10, "Q2_K"},   {11, "Q3_K"},
      {12, "Q4_K"}, {13, "Q5_K"}, {14, "Q6_K"}, {20, "IQ4_NL"}, {23, "IQ4_XS"}};
  for (const auto& [number, name] : types) {
    CAPTURE(name);
    const std::size_t bytes = *byte_size(*find_dtype(name), std::vector<std::size_t>{2, 256});
    const GgufFile file(
        folder.write("m", GgufBuilder().tensor("t", {256, 2}, number, std::string(bytes, 'x')).bytes()));
    REQUIRE(file.tensors()[0].dtype == name);
    REQUIRE(file.tensors()[0].data.size() == bytes);
  }
}

TEST_CASE("GGUF files that are unusual and valid", "[formats][gguf]") {
  const Folder folder;
  const auto open = [&](const std::string& content) {
    return GgufFile(folder.write("m", content)).tensors().size();
  };
  SECTION("nothing at all") {
    REQUIRE(open(GgufBuilder().bytes()) == 0);
  }
  SECTION("a scalar and tensors without elements") {
    const GgufFile file(folder.write("m", GgufBuilder()
                                              .f32_tensor("scalar", {}, {1})
                                              .f32_tensor("empty", {3, 0}, {})
                                              .f32_tensor("four", {1, 1, 1, 1}, {2})
                                              .bytes()));
    REQUIRE(file.find_tensor("scalar")->shape.empty());
    REQUIRE(floats_of(*file.find_tensor("scalar")) == std::vector<float>{1});
    REQUIRE(file.find_tensor("empty")->data.empty());
    REQUIRE(floats_of(*file.find_tensor("four")) == std::vector<float>{2});
  }
  SECTION("tensors in another order, with a gap, and bytes behind the last one") {
    REQUIRE(
        open(GgufBuilder().tensor_at("b", {1}, 0, 64).tensor_at("a", {1}, 0, 0).bytes().append(70, 'x')) ==
        2);
  }
  SECTION("another alignment, which moves the data") {
    for (const std::uint32_t alignment : {1U, 8U, 128U}) {
      const GgufFile file(folder.write(
          "m",
          GgufBuilder().alignment(alignment).f32_tensor("a", {1}, {3}).f32_tensor("b", {1}, {4}).bytes()));
      REQUIRE(file.alignment() == alignment);
      REQUIRE(floats_of(*file.find_tensor("a")) == std::vector<float>{3});
      REQUIRE(floats_of(*file.find_tensor("b")) == std::vector<float>{4});
    }
  }
  SECTION("names of 64 bytes and keys of 65535") {
    REQUIRE(open(GgufBuilder()
                     .uint32(std::string(65535, 'k'), 1)
                     .f32_tensor(std::string(64, 'n'), {1}, {1})
                     .bytes()) == 1);
  }
}

TEST_CASE("a vocabulary of 150,000 tokens is looked at in place", "[formats][gguf]") {
  std::vector<std::string> tokens;
  for (int i = 0; i < 150'000; ++i) tokens.push_back("token" + std::to_string(i));
  const Folder folder;
  const GgufFile file(folder.write("m", GgufBuilder().strings("tokenizer.ggml.tokens", tokens).bytes()));
  const GgufValue::Strings& found = *file.strings("tokenizer.ggml.tokens");
  REQUIRE(std::equal(found.begin(), found.end(), tokens.begin(), tokens.end()));
  const auto distance = found[1].data() - found[0].data();
  REQUIRE(distance == static_cast<std::ptrdiff_t>(tokens[0].size() + 8));  // Views into the file.
}
