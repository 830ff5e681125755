#include "formats/safetensors.h"
#include "formats/checkpoint.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "format_files.h"
#include "tensor/decode.h"

using namespace mla;
using namespace format_files;

namespace {

mla::TensorView view_of(const SafetensorsFile& file, const mla::SafetensorsEntry& entry) {
  return mla::CheckpointTensor{.name = entry.name,
                               .stored_name = entry.name,
                               .file = &file.name(),
                               .dtype = entry.dtype,
                               .shape = entry.shape,
                               .data = file.bytes_of(entry)}
      .view();
}

const std::string kOneTwo("\0\0\x80\x3f\0\0\0\x40", 8);  // 1.0F, 2.0F

std::string small_file() {
  return safetensors(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[3,11]},)"
      R"("a.weight":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]}}   )",
      "\x38\x40\x7e" + kOneTwo);
}

}  // namespace

TEST_CASE("a safetensors file gives its tensors without copying", "[formats][safetensors]") {
  const Folder folder;
  const SafetensorsFile file(folder.write("m.safetensors", small_file()));
  REQUIRE(file.entries().size() == 2);
  REQUIRE(file.entries()[0].name == "a.weight");
  REQUIRE(file.entries()[1].name == "b");
  REQUIRE(file.metadata().at("format") == "pt");
  REQUIRE(file.find("a") == nullptr);
  REQUIRE(file.find("zz") == nullptr);
  const TensorView a = view_of(file, *file.find("a.weight"));
  const TensorView b = view_of(file, *file.find("b"));
  REQUIRE(a.dtype == DType::f8_e4m3);
  REQUIRE(a.shape == Shape{3});
  REQUIRE(b.shape == Shape{1, 2});
  REQUIRE(b.data == a.data + 3);  // Unaligned and in place.
  REQUIRE(decode(a) == std::vector<float>{1, 2, 448});
  REQUIRE(decode(b) == std::vector<float>{1, 2});
}

TEST_CASE("safetensors files that are unusual and valid", "[formats][safetensors]") {
  const Folder folder;
  const auto open = [&](const std::string& content) {
    return SafetensorsFile(folder.write("m", content)).entries().size();
  };
  SECTION("no tensors") {
    REQUIRE(open(safetensors("{}")) == 0);
  }
  SECTION("metadata that is null") {
    REQUIRE(open(safetensors(R"({"__metadata__":null})")) == 0);
  }
  SECTION("tensors without elements") {
    REQUIRE(open(safetensors(R"({"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},)"
                             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                             R"("c":{"dtype":"I64","shape":[0],"data_offsets":[2,2]}})",
                             "xy")) == 3);
  }
  SECTION("a zero before a product that would not fit") {
    REQUIRE(open(safetensors(
                R"({"a":{"dtype":"F32","shape":[0,9223372036854775808,2],"data_offsets":[0,0]}})")) == 1);
  }
  SECTION("a scalar") {
    REQUIRE(open(safetensors(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", "abcd")) == 1);
  }
  SECTION("fields that safetensors does not define are skipped, as in the reference") {
    REQUIRE(open(safetensors(
                R"({"a":{"x":{"dtype":[1,{"shape":-1}]},"dtype":"U8","y":[[],{}],"shape":[1],"z":1e3,)"
                R"("data_offsets":[0,1],"n":null,"t":true,"s":"","i":-1}})",
                "x")) == 1);
  }
  SECTION("white space around") {
    REQUIRE(open(safetensors("{ \n\t}  \r\n")) == 0);
  }
  SECTION("names with escapes") {
    const SafetensorsFile file(
        folder.write("m", safetensors(R"({"\u00e9\n":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})")));
    REQUIRE(file.find("\xc3\xa9\n") != nullptr);
  }
}

TEST_CASE("every dtype of safetensors is known by its size", "[formats][safetensors]") {
  const Folder folder;
  const std::vector<std::pair<std::string, std::size_t>> bytes_of_eight = {
      {"BOOL", 8},        {"F4", 4},          {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},   {"I8", 8},
      {"F8_E5M2", 8},     {"F8_E4M3", 8},     {"F8_E8M0", 8}, {"I16", 16},    {"U16", 16}, {"F16", 16},
      {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"BF16", 16},   {"I32", 32},    {"U32", 32}, {"F32", 32},
      {"C64", 64},        {"F64", 64},        {"I64", 64},    {"U64", 64},
  };
  for (const auto& [dtype, bytes] : bytes_of_eight) {
    CAPTURE(dtype);
    const SafetensorsFile file(
        folder.write("m", safetensors(std::vector<Tensor>{{"t", dtype, "[2,4]", std::string(bytes, 'x')}})));
    if (dtype == "F32" || dtype == "F16" || dtype == "BF16" || dtype == "F8_E4M3") {
      REQUIRE(view_of(file, file.entries()[0]).bytes() == bytes);
      continue;
    }
    const Error error = thrown_by([&] { view_of(file, file.entries()[0]); });
    REQUIRE(error.code() == ErrorCode::unsupported);
    REQUIRE(error.field() == "t");
    REQUIRE(contains(error.what(), "found dtype " + dtype + ", expected F32"));
  }
}

TEST_CASE("a view has at most eight dimensions", "[formats][safetensors]") {
  const Folder folder;
  const SafetensorsFile file(
      folder.write("m", safetensors(std::vector<Tensor>{{"eight", "F8_E4M3", "[1,1,1,1,1,1,1,2]", "ab"},
                                                        {"nine", "F8_E4M3", "[1,1,1,1,1,1,1,1,2]", "ab"}})));
  REQUIRE(view_of(file, *file.find("eight")).cols() == 2);
  const Error error = thrown_by([&] { view_of(file, *file.find("nine")); });
  REQUIRE(error.code() == ErrorCode::unsupported);
  REQUIRE(contains(error.what(), "nine: found 9 dimensions"));
}

TEST_CASE("every truncation and every extension of a safetensors file is refused", "[formats][safetensors]") {
  const Folder folder;
  const std::string whole = small_file();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const auto path = folder.write("m", whole.substr(0, length));
    const Error error = thrown_by([&] { SafetensorsFile file(path); });
    REQUIRE(error.code() == ErrorCode::format);
    REQUIRE(error.file() == path.string());
  }
  const auto longer = folder.write("m", whole + "x");
  REQUIRE(contains(thrown_by([&] { SafetensorsFile file(longer); }).what(),
                   "found 12 bytes of data, expected 11"));
}

TEST_CASE("no single changed byte makes a view leave the file", "[formats][safetensors]") {
  const Folder folder;
  const std::string whole = small_file();
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const auto path = folder.write("m", changed);
      try {
        const SafetensorsFile file(path);
        for (const SafetensorsEntry& entry : file.entries())
          if (find_dtype(entry.dtype))
            static_cast<void>(decode(view_of(file, entry)));  // The sanitizer watches.
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  REQUIRE(refused > 1000);
}

TEST_CASE("what is not a regular file is refused at once", "[formats][safetensors]") {
  const Folder folder;
  const auto code = [](const std::filesystem::path& path) {
    const Error error = thrown_by([&] { SafetensorsFile file(path); });
    REQUIRE(error.file() == path.string());
    return error.code();
  };
  REQUIRE(code(folder.path() / "absent") == ErrorCode::io);
  REQUIRE(code(folder.path()) == ErrorCode::io);
  REQUIRE(code("/dev/zero") == ErrorCode::io);
  const auto fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  REQUIRE(code(fifo) == ErrorCode::io);
  const Error pointer = thrown_by([&] {
    SafetensorsFile file(
        folder.write("m", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"));
  });
  REQUIRE(pointer.code() == ErrorCode::format);
  REQUIRE(contains(pointer.what(), "Git LFS pointer"));
  REQUIRE(contains(pointer.what(), "git lfs pull"));
}

TEST_CASE("a header of 100,000 tensors", "[formats][safetensors]") {
  constexpr int kCount = 100'000;
  std::vector<Tensor> tensors;
  for (int i = 0; i < kCount; ++i)
    tensors.push_back(
        {"model.layers." + std::to_string(i / 1000) + ".mlp.experts." + std::to_string(i) + ".w", "BF16",
         "[1,1]", "ab"});
  const Folder folder;
  const SafetensorsFile file(folder.write("m", safetensors(tensors)));
  REQUIRE(file.entries().size() == kCount);
  long missing = 0;
  for (const Tensor& tensor : tensors) missing += file.find(tensor.name) == nullptr;
  REQUIRE(missing == 0);
}
