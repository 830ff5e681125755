#include "base/json_text.h"

#include <catch2/catch.hpp>

#include <string>

#include "base/json.h"
#include "scratch_folder.h"
#include "thrown.h"

using namespace mla;

namespace {

std::string characters(JsonText& text) {
  std::string all;
  for (auto at = text.begin(); at != text.end(); ++at) all += *at;
  return all;
}

}  // namespace

TEST_CASE("JSON text: from memory and from a file, of any length") {
  const ScratchFolder folder;
  for (const std::size_t size : {0U, 1U, 65535U, 65536U, 65537U, 200000U}) {
    std::string content;
    for (std::size_t i = 0; i < size; ++i) content += static_cast<char>('a' + i % 26);
    JsonText in_memory(content, "name");
    CHECK(characters(in_memory) == content);
    JsonText in_file(folder.write("file", content), size);
    CHECK(characters(in_file) == content);
    if (size > 0)
      CHECK(thrown_by([&] { JsonText(folder.path() / "file", size - 1); }).code() == ErrorCode::limit);
  }
}

TEST_CASE("JSON text: what the parser would take and JSON does not have") {
  const std::string nul("{}\0{}", 5);
  CHECK_THAT(thrown_by([&] { parse_json(nul, "name"); }).what(),
             Catch::Contains("name: not valid JSON: found a NUL"));
  CHECK_THAT(thrown_by([] { parse_json("\xEF\xBB\xBF{}", "name"); }).what(),
             Catch::Contains("byte order mark"));
  CHECK_THAT(thrown_by([] { parse_json("version https://git-lfs.github.com/spec/v1\n", "name"); }).what(),
             Catch::Contains("Git LFS pointer"));
}

TEST_CASE("JSON text: a value has an end") {
  const std::string many(kLongestJsonValue / 4, ' ');
  CHECK(parse_json("[1," + many + "2," + many + "3," + many + "4," + many + "5," + many + "6]", "name")
            .size() == 6);
  const std::string longest(kLongestJsonValue + (std::size_t{1} << 18), 'x');
  CHECK(thrown_by([&] { parse_json("[\"" + longest + "\"]", "name"); }).code() == ErrorCode::limit);
}

TEST_CASE("JSON text: a text of the caller's own may be of any length") {
  const std::string longest(3 * kLongestJsonValue, 'x');
  CHECK(parse_json("\"" + longest + "\"", "name", longest.size()) == Json(longest));
}

TEST_CASE("JSON: a hundred thousand objects side by side") {
  constexpr std::size_t kCount = 100'000;
  std::string list = "[";
  std::string object = "{";
  for (std::size_t i = 0; i < kCount; ++i) {
    list.append(i == 0 ? "{}" : ",{}");
    object.append(i == 0 ? "\"" : ",\"").append(std::to_string(i)).append("\":{\"a\":[]}");
  }
  CHECK(parse_json(list + "]", "name").size() == kCount);
  CHECK(parse_json(object + "}", "name").size() == kCount);
}

TEST_CASE("JSON text: a file of zeros costs nothing") {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.write("zeros", "{");
  std::filesystem::resize_file(file, std::size_t{1} << 34);
  CHECK_THAT(thrown_by([&] { read_json_file(file, std::size_t{1} << 40); }).what(),
             Catch::Contains("NUL byte"));
}

TEST_CASE("JSON: keys that are not kept are checked all the same") {
  const ScratchFolder folder;
  const auto read = [&](const std::string& text) {
    return read_json_file(folder.write("file", text), std::size_t{1} << 20, {"a", "c"});
  };
  CHECK(read(R"({"a":{"b":1},"b":[{"a":1},2],"c":null})") == Json::parse(R"({"a":{"b":1},"c":null})"));
  CHECK_THAT(thrown_by([&] { read(R"({"b":1,"b":2})"); }).what(), Catch::Contains("twice"));
  CHECK_THAT(thrown_by([&] { read(R"({"b":{"x":1,"x":2}})"); }).what(), Catch::Contains("twice"));
  CHECK_THAT(thrown_by([&] { read("{\"b\":" + std::string(100, '[')); }).what(), Catch::Contains("nested"));
}
