#include "formats/gguf_parts.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "format_files.h"
#include "gguf_files.h"

using namespace mla;
using namespace format_files;
using namespace gguf_files;

namespace {

constexpr std::uint64_t kUnset = 99;

/// What gguf-split writes: split.no and split.count as uint16, split.tensors.count as int32.
GgufBuilder part(std::uint64_t number, std::uint64_t count, std::uint64_t tensors) {
  GgufBuilder builder;
  if (number != kUnset) builder.entry("split.no", GgufType::uint16, raw(static_cast<std::uint16_t>(number)));
  builder.entry("split.count", GgufType::uint16, raw(static_cast<std::uint16_t>(count)));
  if (tensors != kUnset)
    builder.entry("split.tensors.count", GgufType::int32, raw(static_cast<std::int32_t>(tensors)));
  return builder;
}

const std::vector<std::string> kNames = {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf",
                                         "m-00003-of-00003.gguf"};

void write_parts(const Folder& folder) {
  folder.write(kNames[0],
               part(0, 3, 3).string("general.architecture", "llama").f32_tensor("a", {1}, {1}).bytes());
  folder.write(kNames[1], part(1, 3, 3).f32_tensor("b", {1}, {2}).f32_tensor("c", {1}, {3}).bytes());
  folder.write(kNames[2], part(2, 3, 3).bytes());
}

Error refusal(const Folder& folder, const std::string& opened) {
  return thrown_by([&] { GgufParts parts(folder.path() / opened); });
}

}  // namespace

TEST_CASE("a model in one file, whatever its name", "[formats][gguf]") {
  const Folder folder;
  for (const std::string& content :
       {GgufBuilder().f32_tensor("a", {1}, {1}).bytes(), part(0, 1, 1).f32_tensor("a", {1}, {1}).bytes()}) {
    const GgufParts parts(folder.write("m.bin", content));
    REQUIRE(parts.files().size() == 1);
    REQUIRE(parts.find_tensor("a").file == &parts.first());
    REQUIRE(parts.find_tensor("a").tensor == &parts.first().tensors()[0]);
    REQUIRE(parts.find_tensor("b").tensor == nullptr);
  }
}

TEST_CASE("any part of a model opens all of them", "[formats][gguf]") {
  const Folder folder;
  write_parts(folder);
  for (const std::string& opened : kNames) {
    const GgufParts parts(folder.path() / opened);
    REQUIRE(parts.files().size() == 3);
    for (std::size_t i = 0; i < 3; ++i)
      REQUIRE(parts.files()[i]->name() == (folder.path() / kNames[i]).string());
    REQUIRE(parts.first().string("general.architecture") == "llama");
    REQUIRE(parts.find_tensor("a").file == parts.files()[0].get());
    REQUIRE(parts.find_tensor("c").file == parts.files()[1].get());
    REQUIRE(parts.find_tensor("c").tensor == &parts.files()[1]->tensors()[1]);
    REQUIRE(parts.find_tensor("d").file == nullptr);
  }
}

TEST_CASE("parts that are missing, renamed or do not fit together", "[formats][gguf]") {
  const Folder folder;
  write_parts(folder);
  const auto replace = [&](std::size_t index, const GgufBuilder& content) {
    return folder.write(kNames[index], content.bytes()).string();
  };
  SECTION("a part is missing") {
    std::filesystem::remove(folder.path() / kNames[1]);
    const Error error = refusal(folder, kNames[0]);
    REQUIRE(error.code() == ErrorCode::io);
    REQUIRE(error.file() == (folder.path() / kNames[1]).string());
    REQUIRE(contains(error.what(), "found no such file, expected the part of the model that belongs to"));
    REQUIRE(contains(error.what(), kNames[0]));
  }
  SECTION("the opened part has another name") {
    std::filesystem::rename(folder.path() / kNames[1], folder.path() / "second.gguf");
    const Error error = refusal(folder, "second.gguf");
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(error.field() == "split.no");
    REQUIRE(contains(error.what(),
                     "found part 1 (from 0) of 3, expected a file name that ends in -00002-of-00003.gguf"));
  }
  SECTION("the opened part says that it is another") {
    replace(0, part(1, 3, 3).f32_tensor("a", {1}, {1}));
    REQUIRE(contains(refusal(folder, kNames[0]).what(),
                     "expected a file name that ends in -00002-of-00003.gguf"));
  }
  SECTION("the opened part is none of them") {
    replace(0, part(3, 3, 3).f32_tensor("a", {1}, {1}));
    REQUIRE(refusal(folder, kNames[0]).field() == "split.no");
  }
  SECTION("another part says that it is another") {
    const std::string file = replace(1, part(2, 3, 3).f32_tensor("b", {2}, {1, 2}));
    const Error error = refusal(folder, kNames[0]);
    REQUIRE(error.file() == file);
    REQUIRE(error.field() == "split.no");
    REQUIRE(contains(error.what(), "found 2, expected 1"));
  }
  SECTION("another part belongs to more") {
    const std::string file = replace(2, part(2, 4, 3));
    const Error error = refusal(folder, kNames[0]);
    REQUIRE(error.file() == file);
    REQUIRE(error.field() == "split.count");
    REQUIRE(contains(error.what(), "found 4, expected 3"));
  }
  SECTION("another part is a model of its own") {
    replace(2, GgufBuilder());
    REQUIRE(contains(refusal(folder, kNames[0]).what(), "split.no: found no such key"));
  }
  SECTION("the number is missing") {
    replace(0, part(kUnset, 3, 3).f32_tensor("a", {1}, {1}));
    REQUIRE(contains(refusal(folder, kNames[0]).what(), "split.no: found no such key"));
  }
  SECTION("the number of tensors is missing") {
    replace(2, part(2, 3, kUnset));
    REQUIRE(contains(refusal(folder, kNames[0]).what(), "split.tensors.count: found no such key"));
  }
  SECTION("there are more tensors than the parts say") {
    const std::string file = replace(2, part(2, 3, 3).f32_tensor("d", {1}, {4}));
    const Error error = refusal(folder, kNames[2]);
    REQUIRE(error.field() == "split.tensors.count");
    REQUIRE(contains(error.what(), "found 3, expected 4, the tensors in all parts"));
  }
  SECTION("a tensor in two parts") {
    const std::string file = replace(1, part(1, 3, 3).f32_tensor("b", {1}, {2}).f32_tensor("a", {1}, {3}));
    const Error error = refusal(folder, kNames[2]);
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(error.file() == file);
    REQUIRE(error.field() == "a");
    REQUIRE(contains(error.what(), "found the tensor also in"));
  }
  SECTION("a part is broken") {
    const auto path = folder.write(kNames[2], "GGUF");
    REQUIRE(refusal(folder, kNames[0]).file() == path.string());
  }
}
