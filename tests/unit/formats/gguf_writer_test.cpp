#include "formats/gguf_writer.h"

#include <catch2/catch.hpp>

#include <filesystem>

#include "format_files.h"
#include "gguf_files.h"

using namespace mla;
using namespace format_files;

namespace {

std::vector<std::byte> bytes_of(std::size_t count, int first) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(first + static_cast<int>(i));
  return bytes;
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a GGUF file that was written is read back", "[formats][gguf]") {
  const Folder folder;
  const std::filesystem::path path = folder.path() / "m.gguf";
  GgufMetadata metadata;
  const std::vector<std::string> strings = {"a", "", "caf\xc3\xa9"};
  const std::vector<std::int32_t> integers = {1, -2};
  const std::vector<float> floats = {0.5F, -1e30F};
  metadata.add_string("general.architecture", "llama");
  metadata.add_uint32("count", 4'000'000'000U);
  metadata.add_float32("epsilon", 1e-6F);
  metadata.add_bool("yes", true);
  metadata.add_strings("strings", strings);
  metadata.add_int32s("integers", integers);
  metadata.add_float32s("floats", floats);
  REQUIRE(metadata.size() == 7);
  REQUIRE(metadata.has("yes"));

  const std::vector<std::byte> matrix = bytes_of(2 * 34, 1);
  const std::vector<std::byte> vector = bytes_of(12, 100);
  GgufWriter writer(path, metadata,
                    {{"matrix", DType::q8_0, {2, 32}},
                     {"empty", DType::f32, {0, 3}},
                     {"vector", DType::f32, {3}},
                     {"scalar", DType::bf16, {}}});
  writer.write(std::span(matrix).first(33));  // In pieces that respect nothing.
  writer.write(std::span(matrix).subspan(33));
  writer.write(vector);
  writer.write(bytes_of(2, 7));
  REQUIRE_FALSE(std::filesystem::exists(path));
  writer.commit();
  REQUIRE(std::filesystem::file_size(path) == writer.bytes());

  const GgufFile file(path);
  REQUIRE(file.version() == 3);
  REQUIRE(file.string("general.architecture") == "llama");
  REQUIRE(file.integer("count", 0, 5'000'000'000) == 4'000'000'000);
  REQUIRE(file.number("epsilon") == double{1e-6F});
  REQUIRE(file.boolean("yes") == true);
  REQUIRE(*file.strings("strings") == GgufValue::Strings{"a", "", "caf\xc3\xa9"});
  REQUIRE(*file.integers("integers") == GgufValue::Integers{1, -2});
  REQUIRE(*file.numbers("floats") == GgufValue::Numbers{0.5, double{-1e30F}});
  REQUIRE(file.tensors().size() == 4);
  REQUIRE(file.find_tensor("matrix")->shape == std::vector<std::size_t>{2, 32});
  REQUIRE(file.find_tensor("matrix")->dtype == "Q8_0");
  const auto same = [&](const char* name, const std::vector<std::byte>& expected) {
    const auto data = file.find_tensor(name)->data;
    return std::vector<std::byte>(data.begin(), data.end()) == expected;
  };
  REQUIRE(same("matrix", matrix));
  REQUIRE(same("vector", vector));
  REQUIRE(same("scalar", bytes_of(2, 7)));
  REQUIRE(same("empty", {}));
}

TEST_CASE("metadata of every type are copied from one GGUF file to another", "[formats][gguf]") {
  using gguf_files::raw;
  using gguf_files::text;
  const Folder folder;
  gguf_files::GgufBuilder builder;
  builder.entry("u8", GgufType::uint8, raw(std::uint8_t{255}))
      .entry("i8", GgufType::int8, raw(std::int8_t{-128}))
      .entry("u16", GgufType::uint16, raw(std::uint16_t{65535}))
      .entry("i16", GgufType::int16, raw(std::int16_t{-32768}))
      .entry("u32", GgufType::uint32, raw(std::uint32_t{4294967295U}))
      .entry("i32", GgufType::int32, raw(std::int32_t{-5}))
      .entry("u64", GgufType::uint64, raw(std::uint64_t{1} << 62))
      .entry("i64", GgufType::int64, raw(std::int64_t{-1}))
      .entry("f32", GgufType::float32, raw(0.1F))
      .entry("f64", GgufType::float64, raw(0.1))
      .boolean("no", false)
      .string("s", "text")
      .array("u8s", GgufType::uint8, 2, std::string("\x01\xff", 2))
      .array("i16s", GgufType::int16, 1, raw(std::int16_t{-2}))
      .array("f64s", GgufType::float64, 1, raw(1e300))
      .array("bools", GgufType::boolean, 2, std::string("\x01\x00", 2))
      .array("none", GgufType::string, 0, "")
      .strings("strings", {"x", "y z"});
  const GgufFile from(folder.write("from.gguf", builder.bytes()));
  GgufMetadata metadata;
  for (const auto& [key, value] : from.metadata()) metadata.add(key, value);
  GgufWriter(folder.path() / "to.gguf", metadata, {}).commit();
  const GgufFile to(folder.path() / "to.gguf");
  REQUIRE(to.metadata().size() == from.metadata().size());
  for (const auto& [key, value] : from.metadata()) {
    INFO(key);
    const GgufValue* const copy = to.find(key);
    REQUIRE(copy != nullptr);
    REQUIRE(copy->type == value.type);
    REQUIRE(copy->value == value.value);
    if (value.type == GgufType::array) REQUIRE(copy->element_type == value.element_type);
  }
}

TEST_CASE("the data of a GGUF file are aligned as asked", "[formats][gguf]") {
  const Folder folder;
  GgufMetadata metadata;
  metadata.add_uint32("general.alignment", 128);
  GgufWriter writer(folder.path() / "m.gguf", metadata, {{"a", DType::f32, {1}}, {"b", DType::f32, {1}}},
                    128);
  writer.write(bytes_of(4, 1));
  writer.write(bytes_of(4, 9));
  writer.commit();
  const GgufFile file(folder.path() / "m.gguf");
  REQUIRE(file.find_tensor("b")->data.data() - file.find_tensor("a")->data.data() == 128);
  REQUIRE(file.find_tensor("b")->data[0] == std::byte{9});
  REQUIRE(writer.bytes() % 128 == 0);
}

TEST_CASE("what GGUF has no form for is not written", "[formats][gguf]") {
  const Folder folder;
  const auto refusal = [&](const GgufTensorInfo& tensor, ErrorCode code) {
    const Error error = thrown_by([&] { GgufWriter(folder.path() / "m.gguf", {}, {tensor}); });
    REQUIRE(error.code() == code);
    REQUIRE(error.field() == tensor.name);
    return std::string(error.what());
  };
  REQUIRE(contains(refusal({std::string(64, 'x'), DType::f32, {1}}, ErrorCode::unsupported), "64 bytes"));
  REQUIRE(contains(refusal({"t", DType::f32, {1, 1, 1, 1, 1}}, ErrorCode::unsupported), "5 dimensions"));
  REQUIRE(contains(refusal({"t", DType::f8_e4m3, {1}}, ErrorCode::unsupported), "F8_E4M3"));
  REQUIRE(contains(refusal({"t", DType::q8_0, {3, 31}}, ErrorCode::format), "whole blocks of Q8_0"));
  const Error twice = thrown_by([&] {
    GgufWriter(folder.path() / "m.gguf", {}, {{"t", DType::f32, {1}}, {"t", DType::f32, {1}}});
  });
  REQUIRE(contains(twice.what(), "two tensors"));
  GgufMetadata metadata;
  metadata.add_bool("key", true);
  REQUIRE(contains(thrown_by([&] { metadata.add_bool("key", true); }).what(), "twice"));
  REQUIRE(contains(thrown_by([&] { metadata.add_bool("", true); }).what(), "0 bytes"));
  REQUIRE(files_in(folder.path()) == 0);
}
