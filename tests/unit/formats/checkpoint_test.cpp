#include "formats/checkpoint.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "format_files.h"
#include "tensor/decode.h"

using namespace mla;
using namespace format_files;

namespace {

constexpr const char* kIndex = "model.safetensors.index.json";

std::string one_byte(const std::string& name) {
  return safetensors(std::vector<Tensor>{{name, "F8_E4M3", "[1]", "\x38"}});
}

/// Writes an index whose weight_map is the given text.
void write_index(const Folder& folder, const std::string& map) {
  folder.write(kIndex, R"({"metadata":{"total_size":1},"weight_map":)" + map + "}");
}

Error refusal(const Folder& folder) {
  return thrown_by([&] { Checkpoint checkpoint(folder.path()); });
}

}  // namespace

TEST_CASE("a checkpoint of one file", "[formats][checkpoint]") {
  const Folder folder;
  folder.write("model.safetensors", safetensors(std::vector<Tensor>{{"z", "F8_E4M3", "[1,2]", "\x38\x40"},
                                                                    {"a", "I64", "[1]", "12345678"}}));
  const Checkpoint checkpoint(folder.path());
  REQUIRE(checkpoint.file_count() == 1);
  REQUIRE(checkpoint.bytes() == 10);
  REQUIRE(checkpoint.tensors().size() == 2);
  REQUIRE(checkpoint.tensors()[0].name == "a");
  REQUIRE(decode(checkpoint.view("z")) == std::vector<float>{1, 2});
  REQUIRE(checkpoint.find("absent") == nullptr);
  REQUIRE(checkpoint.file_of("z") == (folder.path() / "model.safetensors").string());
  REQUIRE(checkpoint.file_of("absent") == (folder.path() / "model.safetensors").string());
  REQUIRE(thrown_by([&] { checkpoint.view("a"); }).code() == ErrorCode::unsupported);
  const Error missing = thrown_by([&] { checkpoint.view("absent"); });
  REQUIRE(missing.code() == ErrorCode::mismatch);
  REQUIRE(missing.field() == "absent");
  REQUIRE(missing.file() == (folder.path() / "model.safetensors").string());
}

TEST_CASE("a checkpoint of shards", "[formats][checkpoint]") {
  const Folder folder;
  folder.write("s1", safetensors(std::vector<Tensor>{{"a", "F8_E4M3", "[1]", "\x38"},
                                                     {"c", "F8_E4M3", "[1]", "\x40"}}));
  folder.write("s2", safetensors(std::vector<Tensor>{{"b", "F8_E4M3", "[1]", "\x48"},
                                                     {"d", "F8_E4M3", "[1]", "\x50"}}));
  folder.write("s3", "not mentioned and not read");
  write_index(folder, R"({"a":"s1","b":"s2","c":"s1"})");
  const Checkpoint checkpoint(folder.path());
  REQUIRE(checkpoint.file_count() == 2);
  REQUIRE(checkpoint.bytes() == 4);
  std::string names;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) names += tensor.name;
  REQUIRE(names == "abcd");  // d is in a shard although the index leaves it out.
  REQUIRE(decode(checkpoint.view("b")) == std::vector<float>{4});
  REQUIRE(checkpoint.file_of("b") == (folder.path() / "s2").string());
}

TEST_CASE("the single file goes before the index", "[formats][checkpoint]") {
  const Folder folder;
  folder.write("model.safetensors", one_byte("single"));
  write_index(folder, "not even JSON");
  REQUIRE(Checkpoint(folder.path()).tensors()[0].name == "single");
}

TEST_CASE("shards may be links, as in the cache of Hugging Face", "[formats][checkpoint]") {
  const Folder blobs;
  const Folder folder;
  std::filesystem::create_symlink(blobs.write("0123", one_byte("a")), folder.path() / "s1");
  write_index(folder, R"({"a":"s1"})");
  REQUIRE(decode(Checkpoint(folder.path()).view("a")) == std::vector<float>{1});
}

TEST_CASE("folders without weights", "[formats][checkpoint]") {
  const Folder folder;
  REQUIRE(refusal(folder).code() == ErrorCode::io);
  REQUIRE(
      contains(refusal(folder).what(), "found neither model.safetensors nor model.safetensors.index.json"));
  const auto code = [](const std::filesystem::path& path) {
    return thrown_by([&] { Checkpoint checkpoint(path); }).code();
  };
  REQUIRE(code(folder.path() / "absent") == ErrorCode::io);
  REQUIRE(code(folder.write("file", "")) == ErrorCode::io);
  std::filesystem::create_symlink("/nowhere/at/all", folder.path() / "model.safetensors");
  REQUIRE(contains(refusal(folder).what(), "model.safetensors: cannot open"));
}

TEST_CASE("Git LFS pointers in a checkpoint", "[formats][checkpoint]") {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
  const Folder folder;
  folder.write(kIndex, pointer);
  REQUIRE(contains(refusal(folder).what(), std::string(kIndex) + ": found a Git LFS pointer"));
  write_index(folder, R"({"a":"s1"})");
  folder.write("s1", pointer);
  REQUIRE(contains(refusal(folder).what(), "s1: found a Git LFS pointer"));
  folder.write("model.safetensors", pointer);
  REQUIRE(contains(refusal(folder).what(), "model.safetensors: found a Git LFS pointer"));
}

TEST_CASE("shard names lead nowhere else", "[formats][checkpoint]") {
  const Folder folder;
  folder.write("s1", one_byte("a"));
  for (const char* name :
       {"", ".", "..", "/etc/passwd", "../s1", "./s1", "x/../s1", "s1/", "s1\\u0000", "s1\\u0000.x"}) {
    CAPTURE(name);
    write_index(folder, std::string(R"({"a":"s1","b":")") + name + "\"}");
    const Error error = refusal(folder);
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(error.field() == "weight_map.b");
    REQUIRE(contains(error.what(), std::string(kIndex) + ": weight_map.b: found"));
  }
}

TEST_CASE("malformed indexes", "[formats][checkpoint]") {
  struct Case {
    const char* index;
    const char* says;
  };
  const Folder folder;
  folder.write("s1", one_byte("a"));
  for (const Case& c :
       {Case{"", "not valid JSON"}, Case{"{", "not valid JSON"}, Case{"[]", "expected an object"},
        Case{"{}", "weight_map: missing"}, Case{R"({"weight_map":null})", "weight_map: found null"},
        Case{R"({"weight_map":[]})", "weight_map: found an array"},
        Case{R"({"weight_map":{}})", "weight_map: found no tensors"},
        Case{R"({"weight_map":{"a":1}})", "weight_map.a: found 1, expected a string"},
        Case{R"({"weight_map":{"a":null}})", "weight_map.a: found null"},
        Case{R"({"weight_map":{"a":"s1","a":"s1"}})", "a: the key stands twice"},
        Case{R"({"weight_map":{"b":"s1"}})", "weight_map.b: the tensor is not in s1"}}) {
    CAPTURE(c.index);
    folder.write(kIndex, c.index);
    const Error error = refusal(folder);
    CAPTURE(error.what());
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(contains(error.what(), kIndex));
    REQUIRE(contains(error.what(), c.says));
  }
}

TEST_CASE("shards that are missing, truncated, doubled or no files", "[formats][checkpoint]") {
  const Folder folder;
  write_index(folder, R"({"a":"s1","b":"s2"})");
  folder.write("s1", one_byte("a"));
  SECTION("missing") {
    REQUIRE(refusal(folder).code() == ErrorCode::io);
    REQUIRE(refusal(folder).file() == (folder.path() / "s2").string());
  }
  SECTION("truncated") {
    const std::string whole = one_byte("b");
    folder.write("s2", whole.substr(0, whole.size() - 1));
    REQUIRE(refusal(folder).code() == ErrorCode::format);
    REQUIRE(refusal(folder).file() == (folder.path() / "s2").string());
    REQUIRE(contains(refusal(folder).what(), "truncated"));
  }
  SECTION("a tensor in both") {
    folder.write("s2", safetensors(std::vector<Tensor>{{"a", "U8", "[1]", "x"}, {"b", "U8", "[1]", "x"}}));
    const Error error = refusal(folder);
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(error.field() == "a");
    REQUIRE(contains(error.what(), "s1"));
    REQUIRE(contains(error.what(), "s2"));
  }
  SECTION("a folder") {
    std::filesystem::create_directory(folder.path() / "s2");
    REQUIRE(refusal(folder).code() == ErrorCode::io);
  }
  SECTION("a FIFO") {
    REQUIRE(::mkfifo((folder.path() / "s2").c_str(), 0600) == 0);
    REQUIRE(refusal(folder).code() == ErrorCode::io);
  }
}

TEST_CASE("an index of 100,000 tensors", "[formats][checkpoint]") {
  const Folder folder;
  std::string map;
  std::vector<std::vector<Tensor>> shards(4);
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = "model.layers." + std::to_string(i) + ".weight";
    const std::size_t shard = static_cast<std::size_t>(i) % shards.size();
    shards[shard].push_back({name, "U8", "[1]", "x"});
    map += (map.empty() ? "{\"" : ",\"") + name + "\":\"s" + std::to_string(shard) + "\"";
  }
  for (std::size_t i = 0; i < shards.size(); ++i)
    folder.write(std::string("s").append(std::to_string(i)), safetensors(shards[i]));
  write_index(folder, map + "}");
  const Checkpoint checkpoint(folder.path());
  REQUIRE(checkpoint.tensors().size() == 100'000);
  REQUIRE(checkpoint.find("model.layers.99999.weight") != nullptr);
}
