#include "base/json.h"

#include <catch2/catch.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "scratch_folder.h"
#include "thrown.h"

using namespace mla;

namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

Error refused(std::string_view text) {
  return thrown_by([&] { parse_json(text, "some.json"); });
}

std::string nested(std::size_t depth, std::string_view innermost) {
  return std::string(depth, '[') + std::string(innermost) + std::string(depth, ']');
}

/// `text` as a field called "k".
struct Field {
  explicit Field(std::string_view text) : document(parse_json(text, "f")), field(document, "f", "k") {}
  Json document;
  JsonField field;
};

std::int64_t int_of(std::string_view text, std::int64_t least = kLeast, std::int64_t greatest = kGreatest) {
  return Field(text).field.as_int(least, greatest);
}

std::string int_refusal(std::string_view text, std::int64_t least, std::int64_t greatest) {
  return thrown_by([&] { int_of(text, least, greatest); }).what();
}

}  // namespace

TEST_CASE("JSON: what is not JSON is refused with the file's name") {
  for (const std::string_view text :
       {"",          " ",      "{",         "[1,]",        "{\"a\":1,}", "{'a':1}",  "nul",       "[1] 2",
        "01",        "+1",     "1.",        ".5",          "NaN",        "Infinity", "-Infinity", "// c\n1",
        "/* c */ 1", "\"\n\"", "\"\\x41\"", "\"\\ud800\"", "\"abc",      "1e400",    "[1e999]"}) {
    INFO(text);
    const Error error = refused(text);
    CHECK(error.code() == ErrorCode::format);
    CHECK(error.file() == "some.json");
    CHECK_THAT(error.what(), Catch::StartsWith("some.json: not valid JSON: "));
    CHECK_THAT(error.what(), !Catch::Contains("json.exception"));
  }
}

TEST_CASE("JSON: bad UTF-8, NUL bytes and a byte order mark are refused") {
  for (const std::string_view text :
       {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\x80\"",
        "{\"\xe4\xb8\": 1}", "\xEF\xBB\xBF{}"}) {
    INFO(text);
    CHECK(refused(text).code() == ErrorCode::format);
  }
  CHECK(refused(std::string_view("1\0", 2)).code() == ErrorCode::format);
  CHECK(refused(std::string_view("[1]\0garbage", 11)).code() == ErrorCode::format);
  CHECK(parse_json("\"\xE4\xB8\xAD\xF0\x9F\x98\x80\"", "f") == "\xE4\xB8\xAD\xF0\x9F\x98\x80");
}

TEST_CASE("JSON: a key that stands twice in one object is refused by name") {
  CHECK(refused(R"({"a":1,"b":2,"a":1})").field() == "a");
  CHECK(refused(R"({"x":[{"deep":1,"deep":2}]})").field() == "deep");
  CHECK(refused(R"({"a":{"b":1},"a":2})").field() == "a");
  CHECK(refused(R"({"a":1,"\u0061":2})").field() == "a");
  CHECK_NOTHROW(parse_json(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})", "f"));
}

TEST_CASE("JSON: nesting as deep as allowed is read, one level more is refused") {
  for (const std::string_view innermost : {"", "1", "\"s\""}) {
    INFO("innermost " << innermost);
    CHECK_NOTHROW(parse_json(nested(kMaxJsonDepth, innermost), "f"));
    CHECK(refused(nested(kMaxJsonDepth + 1, innermost)).code() == ErrorCode::format);
  }
  CHECK_THAT(refused(std::string(1000000, '[')).what(), Catch::Contains("nested deeper than 64 levels"));
}

TEST_CASE("JSON: integers are exact and within their range") {
  CHECK(int_of("9223372036854775807") == kGreatest);
  CHECK(int_of("-9223372036854775808") == kLeast);
  CHECK(int_of("9007199254740993") == 9007199254740993);
  CHECK(int_of("-0") == 0);
  CHECK(int_of("5", 5, 5) == 5);
  CHECK(int_refusal("4", 5, 7) == "f: k: found 4, expected an integer in [5, 7]");
  CHECK(int_refusal("8", 5, 7) == "f: k: found 8, expected an integer in [5, 7]");
  CHECK_THAT(int_refusal("-1", 0, kGreatest), Catch::Contains("found -1"));
}

TEST_CASE("JSON: what is not an integer is not taken for one") {
  for (const std::string_view text :
       {"1.0", "1.5", "1e2", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775809", "true", "null", "\"1\"", "[1]", "{}"}) {
    INFO(text);
    CHECK(thrown_by([&] { int_of(text); }).code() == ErrorCode::format);
  }
}

TEST_CASE("JSON: numbers may be written as integers or fractions") {
  CHECK(Field("2").field.as_number() == 2.0);
  CHECK(Field("-0.25").field.as_number() == -0.25);
  CHECK(Field("1e-06").field.as_number() == 1e-6);
  CHECK(Field("18446744073709551616").field.as_number() == 0x1p64);
  CHECK(Field("0.5").field.as_number(0.5, 1.0) == 0.5);
  CHECK(Field("1").field.as_number(0.5, 1.0) == 1.0);
  for (const std::string_view text : {"0.49", "1.01", "2", "-1", "true", "null", "\"0.7\"", "[0.7]"}) {
    INFO(text);
    CHECK(thrown_by([&] { Field(text).field.as_number(0.5, 1.0); }).code() == ErrorCode::format);
  }
}

TEST_CASE("JSON: a number made in memory must be finite") {
  for (const double value :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    const Json document = value;
    CHECK_THROWS_AS(JsonField(document, "f").as_number(), Error);
    CHECK_THROWS_AS(JsonField(document, "f").as_number(-1.0, 1.0), Error);
  }
}

TEST_CASE("JSON: booleans and strings are only what they are") {
  CHECK(Field("true").field.as_bool());
  CHECK_FALSE(Field("false").field.as_bool());
  CHECK(Field("\"x\"").field.as_string() == "x");
  for (const std::string_view text : {"0", "1", "null", "\"true\"", "[]"})
    CHECK(thrown_by([&] { Field(text).field.as_bool(); }).code() == ErrorCode::format);
  for (const std::string_view text : {"0", "null", "true", "[\"x\"]", "{}"})
    CHECK(thrown_by([&] { Field(text).field.as_string(); }).code() == ErrorCode::format);
}

TEST_CASE("JSON: a null key is there for get and not for find") {
  const Json document = parse_json(R"({"null":null,"zero":0})", "f");
  const JsonField root(document, "f");
  CHECK(root.get("null").json().is_null());
  CHECK_FALSE(root.has("null"));
  CHECK_FALSE(root.find("null").has_value());
  CHECK(root.has("zero"));
  CHECK(root.find("zero").value().as_int(0, 0) == 0);
  CHECK_FALSE(root.has("absent"));
  CHECK_FALSE(root.find("absent").has_value());
  CHECK(std::string(thrown_by([&] { root.get("absent"); }).what()) == "f: absent: missing");
}

TEST_CASE("JSON: errors name the place of the value") {
  const Json document = parse_json(R"({"a":{"b":[1,{"c":"x"}]}})", "f");
  const JsonField list = JsonField(document, "f").get("a").get("b");
  CHECK(list.array_size() == 2);
  CHECK(list.element(0).as_int(1, 1) == 1);
  const Error error = thrown_by([&] { list.element(1).get("c").as_int(0, 9); });
  CHECK(error.file() == "f");
  CHECK(error.field() == "a.b[1].c");
  CHECK(std::string(error.what()) == "f: a.b[1].c: found \"x\", expected an integer in [0, 9]");
  CHECK(thrown_by([&] { list.element(2); }).field() == "a.b");
  CHECK(thrown_by([&] { list.get("c"); }).field() == "a.b");
  CHECK(thrown_by([&] { list.find("c"); }).field() == "a.b");
  CHECK(thrown_by([&] { JsonField(document, "f").array_size(); }).code() == ErrorCode::format);
  CHECK(thrown_by([&] { list.unsupported("no"); }).code() == ErrorCode::unsupported);
  CHECK(thrown_by([&] { list.fail("no"); }).code() == ErrorCode::format);
}

TEST_CASE("JSON: places of a document that was made of something else have their names from there") {
  const Json document = Json::parse(R"({"a": {"b": [1, "x"], "c": 2}, "d": null})");
  const FieldNames names = {{"a.b[1]", "key.b"}, {"a.c", "key.c"}, {"d", "key.d"}, {"e", "key.e"}};
  const JsonField root(document, "f", "", &names);
  const auto field_of = [](const auto& read) { return thrown_by(read).field(); };
  CHECK(field_of([&] { root.get("a").get("b").element(1).as_int(0, 9); }) == "key.b (a.b[1])");
  CHECK(field_of([&] { root.get("a").get("b").element(0).as_string(); }) == "a.b[0]");
  CHECK(field_of([&] { root.get("a").get("c").unsupported("x"); }) == "key.c (a.c)");
  CHECK(field_of([&] { root.get("d").as_bool(); }) == "key.d (d)");
  CHECK(field_of([&] { root.get("e"); }) == "key.e (e)");
}

TEST_CASE("JSON: a message quotes only the beginning of a long value, in ASCII") {
  const std::string text = "\"" + std::string(1000, 'y') + "\xC3\xA9\"";
  CHECK(std::string(thrown_by([&] { Field(text).field.as_bool(); }).what()).size() < 150);
  CHECK_THAT(thrown_by([&] { Field("\"\xC3\xA9\"").field.as_bool(); }).what(),
             Catch::Contains("found \"\\u00e9\""));
}

TEST_CASE("JSON: files are read within a size") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.write("a.json", R"({"a":1})");
  CHECK(read_json_file(path, 7)["a"] == 1);
  CHECK(thrown_by([&] { read_json_file(path, 6); }).code() == ErrorCode::limit);
  CHECK(thrown_by([&] { read_json_file(folder.path() / "none"); }).code() == ErrorCode::io);
  const Error error = thrown_by([&] { read_json_file(folder.write("b.json", "{")); });
  CHECK(error.code() == ErrorCode::format);
  CHECK(error.file() == (folder.path() / "b.json").string());
}
