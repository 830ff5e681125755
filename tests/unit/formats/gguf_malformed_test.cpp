// GGUF files that are broken, hostile or of a kind mla does not read.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "format_files.h"
#include "formats/gguf.h"
#include "gguf_files.h"

using namespace mla;
using namespace format_files;
using namespace gguf_files;

namespace {

constexpr std::uint64_t kHuge = 0xffff'ffff'ffff'fff0;

/// Opens the file and checks that it is refused so.
void refuse(const std::string& content, ErrorCode code, const std::string& field,
            const std::string& message) {
  const Folder folder;
  const auto path = folder.write("m.gguf", content);
  const Error error = thrown_by([&] { GgufFile file(path); });
  INFO(error.what());
  CHECK(error.code() == code);
  CHECK(error.file() == path.string());
  CHECK(error.field() == field);
  CHECK(contains(error.what(), message));
}

void refuse_format(const std::string& content, const std::string& field, const std::string& message) {
  refuse(content, ErrorCode::format, field, message);
}

/// A header with these counts, and what follows.
std::string with_counts(std::uint64_t tensors, std::uint64_t entries, const std::string& rest) {
  return std::string("GGUF").append(raw(std::uint32_t{3})).append(raw(tensors)).append(raw(entries)) + rest;
}

std::string small_file() {
  return GgufBuilder()
      .string("s", "text")
      .entry("u", GgufType::uint64, raw(std::uint64_t{5}))
      .boolean("b", true)
      .strings("ss", {"a", "bc"})
      .array("ii", GgufType::int8, 3, "\1\2\3")
      .array("ff", GgufType::float64, 1, raw(0.5))
      .array("bb", GgufType::boolean, 2, std::string("\0\1", 2))
      .alignment(16)
      .f32_tensor("t", {2, 1}, {1, 2})
      .tensor("q", {32}, 8, std::string(34, 'q'))
      .bytes();
}

/// Reads every byte that the file's views reach, for the sanitizers to watch.
std::size_t touch(const GgufFile& file) {
  std::size_t sum = 0;
  for (const GgufTensor& tensor : file.tensors()) {
    for (const char letter : tensor.name) sum += static_cast<unsigned char>(letter);
    for (const std::byte byte : tensor.data) sum += static_cast<std::size_t>(byte);
  }
  for (const auto& [key, value] : file.metadata()) {
    for (const char letter : key) sum += static_cast<unsigned char>(letter);
    if (const auto* const text = std::get_if<std::string_view>(&value.value))
      for (const char letter : *text) sum += static_cast<unsigned char>(letter);
    if (const auto* const texts = std::get_if<GgufValue::Strings>(&value.value))
      for (const std::string_view text : *texts)
        for (const char letter : text) sum += static_cast<unsigned char>(letter);
  }
  return sum;
}

}  // namespace

TEST_CASE("every truncation of a GGUF file is refused", "[formats][gguf]") {
  const Folder folder;
  const std::string whole = small_file();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const auto path = folder.write("m", whole.substr(0, length));
    const Error error = thrown_by([&] { GgufFile file(path); });
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(error.file() == path.string());
  }
  REQUIRE(GgufFile(folder.write("m", whole)).tensors().size() == 2);
}

TEST_CASE("no single changed byte makes a view leave the GGUF file", "[formats][gguf]") {
  const Folder folder;
  const std::string whole = small_file();
  int refused = 0;
  std::size_t touched = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int change : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const auto path = folder.write("m", changed);
      try {
        touched += touch(GgufFile(path));
      } catch (const Error& error) {
        REQUIRE(error.file() == path.string());
        ++refused;
      }
    }
  REQUIRE(refused > 1500);
  REQUIRE(touched > 0);
}

TEST_CASE("what is no GGUF file of a version mla reads", "[formats][gguf]") {
  refuse_format("", "", "does not begin with \"GGUF\"");
  refuse_format("GGU", "", "does not begin with \"GGUF\"");
  refuse_format("GGML" + small_file().substr(4), "", "does not begin with \"GGUF\"");
  refuse_format("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "", "git lfs pull");
  refuse_format("GGUF", "version", "found 0 bytes up to the end of the file, expected at least 4");
  const auto unsupported = [](std::uint32_t version, const std::string& message) {
    refuse(GgufBuilder().version(version).bytes(), ErrorCode::unsupported, "version", message);
  };
  unsupported(1, "found 1, expected 2 or 3");
  unsupported(4, "found 4, expected 2 or 3");
  unsupported(0, "found 0, expected 2 or 3");
  unsupported(0x03000000, "found a big-endian file");

  const Folder folder;
  REQUIRE(thrown_by([&] { GgufFile file(folder.path() / "absent"); }).code() == ErrorCode::io);
  REQUIRE(thrown_by([&] { GgufFile file(folder.path()); }).code() == ErrorCode::io);
}

TEST_CASE("counts and lengths beyond the file are refused before anything is allocated", "[formats][gguf]") {
  refuse_format(with_counts(kHuge, 0, ""), "tensor count", "found a count of 18446744073709551600");
  refuse_format(with_counts(0, kHuge, ""), "metadata count", "found a count of 18446744073709551600");
  refuse_format(with_counts(2, 0, std::string(41, '\0')), "tensor count",
                "expected at most 1 in the 49 bytes");
  refuse_format(with_counts(0, 2, std::string(27, '\0')), "metadata count",
                "expected at most 1 in the 27 bytes");
  refuse_format(with_counts(0, 1, raw(kHuge) + std::string(30, 'k')), "metadata key 0",
                "expected at least 18446744073709551600 (is the file truncated?)");
  refuse_format(GgufBuilder().entry("k", GgufType::string, raw(kHuge)).bytes(), "k", "expected at least");
  for (const GgufType type : {GgufType::uint8, GgufType::int64, GgufType::boolean, GgufType::string}) {
    refuse_format(GgufBuilder().array("k", type, kHuge, "12345678").bytes(), "k", "found a count of");
    refuse_format(GgufBuilder().array("k", type, 9, "12345678").bytes(), "k", "found a count of 9");
  }
  // 2^61 elements of 8 bytes are zero bytes to whoever multiplies without care.
  refuse_format(GgufBuilder().array("k", GgufType::uint64, std::uint64_t{1} << 61, "").bytes(), "k",
                "found a count of 2305843009213693952, expected at most 0");
  refuse_format(GgufBuilder().array("k", GgufType::string, 1, raw(kHuge)).bytes(), "k", "expected at least");
}

TEST_CASE("metadata that GGUF does not allow or mla does not know", "[formats][gguf]") {
  refuse_format(GgufBuilder().uint32("twice", 1).uint32("other", 1).string("twice", "x").bytes(), "twice",
                "a second time");
  refuse_format(GgufBuilder().uint32("", 1).uint32("pad", 1).bytes(), "metadata key 0",
                "found 0 bytes, expected 1 to 65535");
  refuse_format(GgufBuilder().uint32("pad", 1).uint32(std::string(65536, 'k'), 1).bytes(), "metadata key 1",
                "found 65536 bytes");
  refuse_format(GgufBuilder().uint32("k\xff", 1).bytes(), "metadata key 0", "not UTF-8");
  refuse_format(GgufBuilder().entry("b", GgufType::boolean, "\2").bytes(), "b",
                "found a bool of 2, expected 0 or 1");
  refuse_format(GgufBuilder().array("b", GgufType::boolean, 2, "\1\3").bytes(), "b", "found a bool of 3");
  refuse_format(GgufBuilder().entry("u", GgufType::uint64, raw(std::uint64_t{1} << 63)).bytes(), "u",
                "found 9223372036854775808, expected less than 2^63");
  const auto unsupported = [](const std::string& content, const std::string& message) {
    refuse(content, ErrorCode::unsupported, "k", message);
  };
  unsupported(GgufBuilder().entry("k", static_cast<GgufType>(13), "1234").bytes(), "found metadata type 13");
  unsupported(GgufBuilder().array("k", static_cast<GgufType>(99), 0, "").bytes(), "found metadata type 99");
  unsupported(GgufBuilder().array("k", GgufType::array, 0, "").bytes(), "found an array of arrays");
  for (const std::uint32_t alignment : {3U, 24U, 0x80000001U})
    refuse_format(GgufBuilder().uint32("general.alignment", alignment).bytes(), "general.alignment",
                  "found " + std::to_string(alignment) + ", expected ");
  refuse_format(GgufBuilder().uint32("general.alignment", 0).bytes(), "general.alignment",
                "found 0, expected 1 to");
  refuse_format(GgufBuilder().string("general.alignment", "32").bytes(), "general.alignment", "found string");
}

TEST_CASE("tensors that do not fit their file", "[formats][gguf]") {
  const auto one = [](const std::vector<std::uint64_t>& dims, std::uint32_t type, std::uint64_t offset,
                      std::size_t data_bytes) {
    return GgufBuilder().tensor_at("t", dims, type, offset).bytes() + std::string(data_bytes, 'x');
  };
  refuse_format(one({2}, 0, 0, 7), "t", "found 8 bytes at offset 0, expected them within the 7 bytes");
  refuse_format(one({2}, 0, 32, 39), "t", "found 8 bytes at offset 32");
  refuse_format(one({2}, 0, kHuge - 0x10, 64), "t", "found 8 bytes at offset");
  refuse_format(one({2}, 0, 8, 64), "t", "found offset 8, expected a multiple of the alignment 32");
  refuse_format(one({1, 1, 1, 1, 1}, 0, 0, 64), "t", "found 5 dimensions, expected at most 4");
  refuse_format(one({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0, 0, 64), "t",
                "does not fit into 64 bits");
  refuse_format(one({std::uint64_t{1} << 62}, 0, 0, 64), "t", "does not fit into 64 bits");
  refuse_format(one({kHuge, kHuge, kHuge, kHuge}, 0, 0, 64), "t", "does not fit into 64 bits");
  refuse_format(one({255}, 12, 0, 512), "t",
                "found rows of 255 elements, expected a multiple of 256, a block of Q4_K");
  refuse_format(one({16, 2}, 8, 0, 512), "t", "expected a multiple of 32, a block of Q8_0");
  refuse_format(one({}, 8, 0, 512), "t", "found rows of 1 elements");

  const std::string data(256, 'x');
  refuse_format(GgufBuilder().tensor_at("a", {16}, 0, 0).tensor_at("b", {1}, 0, 32).bytes() + data, "b",
                "found its data within those of a");
  refuse_format(GgufBuilder().tensor_at("a", {1}, 0, 64).tensor_at("b", {1}, 0, 64).bytes() + data, "b",
                "found its data within those of a");
  refuse_format(
      GgufBuilder().tensor_at("b", {1}, 0, 0).tensor_at("a", {1}, 0, 32).tensor_at("b", {1}, 0, 64).bytes() +
          data,
      "b", "a second time");
  refuse_format(GgufBuilder().tensor_at("", {1}, 0, 0).bytes() + data, "tensor 0",
                "found 0 bytes, expected 1 to 64");
  refuse_format(
      GgufBuilder().tensor_at("a", {1}, 0, 0).tensor_at(std::string(65, 'n'), {1}, 0, 32).bytes() + data,
      "tensor 1", "found 65 bytes, expected 1 to 64");
  refuse_format(GgufBuilder().tensor_at("\xc3(", {1}, 0, 0).bytes() + data, "tensor 0", "not UTF-8");
}

TEST_CASE("tensor types that mla does not know are named", "[formats][gguf]") {
  const std::vector<std::pair<std::uint32_t, std::string>> types = {
      {9, "Q8_1"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"},
      {19, "IQ1_S"}, {21, "IQ3_S"}, {22, "IQ2_S"},   {24, "I8"},     {25, "I16"},
      {26, "I32"},   {27, "I64"},   {28, "F64"},     {29, "IQ1_M"},  {34, "TQ1_0"},
      {35, "TQ2_0"}, {39, "MXFP4"}, {40, "NVFP4"},   {41, "Q1_0"}};
  for (const auto& [number, name] : types)
    refuse(GgufBuilder().tensor("t", {256}, number, std::string(2048, 'x')).bytes(), ErrorCode::unsupported,
           "t", "found tensor type " + name + ", expected one of F32, F16, Q4_0, ");
  for (const std::uint32_t number : {4U, 5U, 31U, 42U, 0xffffffffU})
    refuse(GgufBuilder().tensor("t", {256}, number, std::string(2048, 'x')).bytes(), ErrorCode::unsupported,
           "t", "found the unknown tensor type " + std::to_string(number));
}

TEST_CASE("the head of a GGUF file is bounded", "[formats][gguf]") {
  // An array that is really there, but whose elements would take eight times as much memory.
  const std::string bytes(100'000'000, '\0');
  refuse_format(GgufBuilder().array("k", GgufType::int8, bytes.size(), bytes).bytes(), "k",
                "found a count of 100000000");
  refuse_format(GgufBuilder().entry("k", GgufType::string, text(bytes)).bytes(), "k",
                "ends beyond the first 100000000 bytes");
  // Things that are there, but so many that they would take far more memory than bytes.
  refuse_format(with_counts(500'001, 0, std::string(25 * 500'001, '\0')), "tensor count",
                "found a count of 500001, expected at most 500000");
  refuse_format(with_counts(0, 100'001, std::string(14 * 100'001, '\0')), "metadata count",
                "found a count of 100001, expected at most 100000");
  const std::string half(4'000'000, '\0');
  refuse_format(GgufBuilder()
                    .array("k", GgufType::int8, half.size(), half)
                    .array("l", GgufType::boolean, half.size(), half)
                    .bytes(),
                "l", "found a count of 4000000, expected at most 2000000");
}
