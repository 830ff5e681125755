// A table of malformed safetensors files: what is refused, with which code, and what the message names.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "format_files.h"
#include "formats/safetensors.h"

using namespace mla;
using namespace format_files;

namespace {

struct Malformed {
  std::string name;
  std::string content;
  std::string says;  // Part of what().
  ErrorCode code = ErrorCode::format;
};

/// A file whose only tensor is "t" with these fields.
std::string tensor(const std::string& fields, const std::string& data = "") {
  return safetensors("{\"t\":{" + fields + "}}", data);
}

/// A file of one-byte-element tensors with these shapes and offsets.
std::string ranges(const std::vector<std::pair<std::string, std::string>>& shapes_and_offsets,
                   std::size_t bytes) {
  std::string header = "{";
  char name = 'a';
  for (const auto& [shape, offsets] : shapes_and_offsets) {
    if (name != 'a') header += ",";
    header += std::string("\"") + name++ + R"(":{"dtype":"U8","shape":)" + shape + R"(,"data_offsets":)" +
              offsets + "}";
  }
  return safetensors(header + "}", std::string(bytes, 'x'));
}

std::string shape(const std::string& text) {
  return tensor(R"("dtype":"U8","data_offsets":[0,1],"shape":)" + text, "x");
}

std::string offsets(const std::string& text) {
  return tensor(R"("dtype":"U8","shape":[1],"data_offsets":)" + text, "x");
}

std::string dtype(const std::string& text) {
  return tensor(R"("shape":[1],"data_offsets":[0,1],"dtype":)" + text, "x");
}

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(length >> (8 * i) & 0xffU);
  return file + rest;
}

void append(std::vector<Malformed>& to, const std::vector<Malformed>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::vector<Malformed> framing() {
  return {
      {"empty file", "", "found a file of 0 bytes"},
      {"seven bytes", std::string(7, '\0'), "found a file of 7 bytes"},
      {"header length 0", with_length(0, ""), "does not begin with '{'"},
      {"header length beyond the file", with_length(3, "{}"), "found 3, expected at most the 2 bytes"},
      {"header length 2^64 - 1", with_length(UINT64_MAX, "{}"),
       "found 18446744073709551615, expected at most 100000000"},
      {"header length 2^64 - 8", with_length(UINT64_MAX - 7, "{}"), "header length"},
      {"header length one above the limit", with_length(100'000'001, "{}"), "expected at most 100000000"},
      {"header length too small", with_length(1, "{}"), "not valid JSON"},
      {"trailing bytes", safetensors("{}", "x"), "found 1 bytes of data, expected 0"},
  };
}

std::vector<Malformed> json() {
  const std::string deep(100'000, '[');
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  std::string metadata = "{\"__metadata__\":{\"a\":\"\"";
  for (int i = 0; i < 17; ++i)
    metadata.append(",\"" + std::to_string(i) + "\":\"").append(1'000'000, 'x').append("\"");
  return {
      {"65 dimensions", shape("[" + ones + "]"), "t.shape: found more than 64 dimensions"},
      {"17 MB of metadata", safetensors(metadata + "}}"), "__metadata__: found more than 16777216 bytes",
       ErrorCode::limit},
      {"a name of 2 MB", safetensors("{\"" + std::string(2'000'000, 'x') + "\":{}}"),
       "found a value of more than 1048576 bytes", ErrorCode::limit},
      {"array", safetensors("[]"), "does not begin with '{'"},
      {"leading space", safetensors(" {}"), "does not begin with '{'"},
      {"byte order mark", safetensors("\xef\xbb\xbf{}"), "does not begin with '{'"},
      {"syntax error", safetensors("{\"t\":}"), "not valid JSON"},
      {"comment", safetensors("{/**/}"), "not valid JSON"},
      {"trailing comma", safetensors("{\"__metadata__\":{},}"), "not valid JSON"},
      {"something after the object", safetensors("{}{}"), "not valid JSON"},
      {"NUL padding", safetensors(std::string("{}\0\0", 4)), "NUL byte"},
      {"NUL and more", safetensors(std::string("{}\0{", 4)), "NUL byte"},
      {"bad UTF-8 in a name", safetensors("{\"\xff\":{}}"), "not valid JSON"},
      {"overlong UTF-8", safetensors("{\"\xc0\xaf\":{}}"), "not valid JSON"},
      {"lone surrogate", safetensors(R"({"\ud800":{}})"), "not valid JSON"},
      {"deep nesting where an object belongs", safetensors("{\"t\":" + deep + "}"), "t: found an array"},
      {"deep nesting in a skipped field", tensor("\"x\":" + deep), "nested deeper than 64"},
      {"deep objects in a skipped field",
       tensor("\"x\":" +
              [] {
                std::string text;
                for (int i = 0; i < 1000; ++i) text += "{\"a\":";
                return text;
              }()),
       "nested deeper than 64"},
      {"number out of range", shape("[1e999]"), "not valid JSON"},
  };
}

std::vector<Malformed> fields() {
  const std::string good = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  return {
      {"duplicate tensor", safetensors("{\"t\":" + good + ",\"t\":" + good + "}"),
       "t: the tensor stands twice"},
      {"duplicate tensor spelled with an escape",
       safetensors("{\"t\":" + good + ",\"\\u0074\":" + good + "}"), "t: the tensor stands twice"},
      {"duplicate dtype", tensor(R"("dtype":"U8","dtype":"U8")"), "t.dtype: the key stands twice"},
      {"duplicate shape", tensor(R"("shape":[1],"shape":[1])"), "t.shape: the key stands twice"},
      {"duplicate data_offsets", tensor(R"("data_offsets":[0,0],"data_offsets":[0,0])"),
       "t.data_offsets: the key stands twice"},
      {"tensor without fields", tensor(""), "t.dtype: missing"},
      {"missing dtype", tensor(R"("shape":[0],"data_offsets":[0,0])"), "t.dtype: missing"},
      {"missing shape", tensor(R"("dtype":"U8","data_offsets":[0,0])"), "t.shape: missing"},
      {"missing data_offsets", tensor(R"("dtype":"U8","shape":[0])"), "t.data_offsets: missing"},
      {"fields of the tensor before do not count",
       safetensors("{\"s\":" + good + ",\"t\":{\"dtype\":\"U8\"}}"), "t.shape: missing"},
      {"tensor is null", safetensors(R"({"t":null})"), "t: found null, expected an object"},
      {"tensor is a number", safetensors(R"({"t":1})"), "t: found 1, expected an object"},
      {"tensor is a string", safetensors(R"({"t":"U8"})"), "t: found a string, expected an object"},
      {"tensor is an array", safetensors(R"({"t":["U8",[0],[0,0]]})"),
       "t: found an array, expected an object"},
      {"metadata is a string", safetensors(R"({"__metadata__":"pt"})"),
       "__metadata__: found a string, expected an object of strings"},
      {"metadata is an array", safetensors(R"({"__metadata__":[]})"), "__metadata__: found an array"},
      {"metadata value is a number", safetensors(R"({"__metadata__":{"step":3}})"),
       "__metadata__.step: found 3, expected a string"},
      {"metadata value is null", safetensors(R"({"__metadata__":{"step":null}})"),
       "__metadata__.step: found null"},
      {"metadata value is an object", safetensors(R"({"__metadata__":{"step":{}}})"),
       "__metadata__.step: found an object"},
      {"metadata key twice", safetensors(R"({"__metadata__":{"a":"","a":""}})"),
       "__metadata__.a: the key stands twice"},
      {"metadata twice", safetensors(R"({"__metadata__":{},"__metadata__":{}})"),
       "__metadata__: stands twice"},
  };
}

std::vector<Malformed> values() {
  return {
      {"dtype unknown", dtype("\"F12\""), "t.dtype: found \"F12\"", ErrorCode::unsupported},
      {"dtype in lower case", dtype("\"u8\""), "t.dtype: found \"u8\"", ErrorCode::unsupported},
      {"dtype empty", dtype("\"\""), "t.dtype: found \"\"", ErrorCode::unsupported},
      {"dtype a number", dtype("8"), "t.dtype: found 8, expected a string"},
      {"dtype null", dtype("null"), "t.dtype: found null"},
      {"dtype an array", dtype("[\"U8\"]"), "t.dtype: found an array"},
      {"shape a number", shape("1"), "t.shape: found 1, expected an array"},
      {"shape an object", shape("{}"), "t.shape: found an object"},
      {"shape null", shape("null"), "t.shape: found null"},
      {"shape negative", shape("[-1]"), "t.shape: found -1, expected an integer of at least 0"},
      {"shape negative zero", shape("[-0]"), "t.shape: found -0"},
      {"shape fractional", shape("[1.5]"), "t.shape: found 1.5"},
      {"shape a whole float", shape("[1.0]"), "t.shape: found 1.0"},
      {"shape with an exponent", shape("[1e0]"), "t.shape: found 1e0"},
      {"shape beyond 64 bits", shape("[18446744073709551616]"), "t.shape: found 18446744073709551616"},
      {"shape of a string", shape("[\"1\"]"), "t.shape: found a string"},
      {"shape nested", shape("[[1]]"), "t.shape: found an array"},
      {"shape of true", shape("[true]"), "t.shape: found true"},
      {"shape of null", shape("[null]"), "t.shape: found null"},
      {"shape overflows in elements", shape("[4294967296,4294967296]"), "t.shape: the size does not fit"},
      {"shape overflows in bits", shape("[4611686018427387904]"), "t.shape: the size does not fit"},
      {"shape overflows before a zero", shape("[9223372036854775808,2,0]"), "t.shape: the size does not fit"},
      {"shape wraps to the right size", shape("[9223372036854775809,2]"), "t.shape: the size does not fit"},
      {"shape too large", shape("[2]"), "t.data_offsets: found 1 bytes, expected 2"},
      {"shape too small", shape("[0]"), "t.data_offsets: found 1 bytes, expected 0"},
      {"half a byte", tensor(R"("dtype":"F4","shape":[1],"data_offsets":[0,1])", "x"),
       "t.shape: found 4 bits, expected whole bytes"},
  };
}

std::vector<Malformed> layout() {
  return {
      {"offsets a number", offsets("1"), "t.data_offsets: found 1, expected [begin, end]"},
      {"offsets an object", offsets("{}"), "t.data_offsets: found an object"},
      {"offsets empty", offsets("[]"), "t.data_offsets: found too few"},
      {"one offset", offsets("[0]"), "t.data_offsets: found too few"},
      {"three offsets", offsets("[0,1,1]"), "t.data_offsets: found more than two"},
      {"offset negative", offsets("[-1,0]"), "t.data_offsets: found -1"},
      {"offset fractional", offsets("[0,1.0]"), "t.data_offsets: found 1.0"},
      {"offset a string", offsets("[0,\"1\"]"), "t.data_offsets: found a string"},
      {"offset beyond 64 bits", offsets("[0,18446744073709551617]"),
       "t.data_offsets: found 18446744073709551617"},
      {"offsets reversed", offsets("[1,0]"),
       "t.data_offsets: found [1, 0], expected the end not to be before"},
      {"offsets reversed and wrapping to the right size", offsets("[18446744073709551615,0]"),
       "t.data_offsets: found [18446744073709551615, 0]"},
      {"hole at the begin", ranges({{"[1]", "[1,2]"}}, 2),
       "a.data_offsets: found [1, 2], expected it to begin at 0"},
      {"hole between", ranges({{"[1]", "[0,1]"}, {"[1]", "[2,3]"}}, 3),
       "b.data_offsets: found [2, 3], expected it to begin at 1"},
      {"hole at the end", ranges({{"[1]", "[0,1]"}}, 2), "found 2 bytes of data, expected 1"},
      {"overlap in part", ranges({{"[2]", "[0,2]"}, {"[2]", "[1,3]"}}, 3),
       "b.data_offsets: found [1, 3], expected it to begin at 2"},
      {"two on the same bytes", ranges({{"[2]", "[0,2]"}, {"[2]", "[0,2]"}}, 2),
       "data_offsets: found [0, 2], expected it to begin at 2"},
      {"one within another", ranges({{"[4]", "[0,4]"}, {"[1]", "[1,2]"}}, 4), "b.data_offsets: found [1, 2]"},
      {"empty tensor within another", ranges({{"[4]", "[0,4]"}, {"[0]", "[2,2]"}}, 4),
       "b.data_offsets: found [2, 2]"},
      {"empty tensor beyond the end", ranges({{"[4]", "[0,4]"}, {"[0]", "[9,9]"}}, 4),
       "b.data_offsets: found [9, 9]"},
      {"data missing", ranges({{"[4]", "[0,4]"}}, 0),
       "a.data_offsets: found [0, 4], expected it within the file's 0 bytes"},
      {"data cut", ranges({{"[2]", "[0,2]"}, {"[2]", "[2,4]"}}, 3),
       "b.data_offsets: found [2, 4], expected it within the file's 3 bytes"},
      {"a huge tensor", ranges({{"[2305843009213693951]", "[0,2305843009213693951]"}}, 1),
       "a.data_offsets: found [0, 2305843009213693951], expected it within"},
  };
}

}  // namespace

TEST_CASE("malformed safetensors files are refused by name and field", "[formats][safetensors]") {
  std::vector<Malformed> cases;
  for (const auto& part : {framing(), json(), fields(), values(), layout()}) append(cases, part);
  REQUIRE(cases.size() >= 90);
  const Folder folder;
  for (const Malformed& malformed : cases) {
    CAPTURE(malformed.name);
    const auto path = folder.write("m.safetensors", malformed.content);
    const Error error = thrown_by([&] { SafetensorsFile file(path); });
    CAPTURE(error.what());
    CHECK(error.code() == malformed.code);
    CHECK(error.file() == path.string());
    CHECK(std::string(error.what()).find(path.string() + ": ") == 0);
    CHECK(contains(error.what(), malformed.says));
  }
}
