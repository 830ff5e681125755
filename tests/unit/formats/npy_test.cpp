#include "formats/npy.h"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "format_files.h"

using namespace mla;
using namespace format_files;

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string npy(const std::string& dictionary, const std::string& data) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(dictionary.size() & 0xffU);
  file += static_cast<char>(dictionary.size() >> 8);
  return file + dictionary + data;
}

std::string shaped(const std::string& shape, std::size_t values) {
  return npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n",
             std::string(values * 4, '\0'));
}

}  // namespace

TEST_CASE("an .npy file is written as NumPy writes it", "[formats][npy]") {
  const Folder folder;
  const auto path = folder.path() / "a.npy";
  NpyWriter writer(path, 2, 3);
  writer.write(std::vector<float>{1, 2});
  writer.write(std::vector<float>{});
  writer.write(std::vector<float>{3, 4, 5, 6});
  REQUIRE_FALSE(std::filesystem::exists(path));
  writer.commit();
  const std::string content = content_of(path);
  // The 128 bytes that numpy.save writes before the values.
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  REQUIRE(content.size() == 128 + 24);
  REQUIRE(content.substr(0, 128) == std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dictionary +
                                        std::string(117 - dictionary.size(), ' ') + "\n");
  const NpyArray array = read_npy(path);
  REQUIRE(array.shape == std::vector<std::size_t>{2, 3});
  REQUIRE(array.values == std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("the values of an .npy file begin at a multiple of 64", "[formats][npy]") {
  const Folder folder;
  for (const std::size_t rows : {0UL, 1UL, 12345678901UL, 12345678901234567UL}) {
    const auto path = folder.path() / "a.npy";
    NpyWriter writer(path, rows, 0);
    writer.commit();
    CAPTURE(rows);
    REQUIRE(content_of(path).size() % 64 == 0);
    REQUIRE(read_npy(path).shape == std::vector<std::size_t>{rows, 0});
  }
}

TEST_CASE("an .npy file gets exactly its values", "[formats][npy]") {
  const Folder folder;
  const auto path = folder.path() / "a.npy";
  {
    NpyWriter writer(path, 1, 2);
    writer.write(std::vector<float>{1});
    REQUIRE(thrown_by([&] { writer.commit(); }).code() == ErrorCode::argument);
    REQUIRE(thrown_by([&] { writer.write(std::vector<float>{1, 2}); }).code() == ErrorCode::argument);
  }
  REQUIRE(std::filesystem::is_empty(folder.path()));
  REQUIRE(thrown_by([&] { NpyWriter writer(path, SIZE_MAX, 2); }).code() == ErrorCode::argument);
  REQUIRE(thrown_by([&] { NpyWriter writer(folder.path() / "no" / "a.npy", 1, 1); }).code() == ErrorCode::io);
}

TEST_CASE("a one-dimensional .npy file is read", "[formats][npy]") {
  const Folder folder;
  REQUIRE(read_npy(folder.write("a.npy", shaped("(3,)", 3))).shape == std::vector<std::size_t>{3});
}

TEST_CASE("every truncation of an .npy file is refused", "[formats][npy]") {
  const Folder folder;
  const std::string whole = shaped("(2, 2)", 4);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const auto path = folder.write("a.npy", whole.substr(0, length));
    REQUIRE(thrown_by([&] { read_npy(path); }).file() == path.string());
  }
  REQUIRE(read_npy(folder.write("a.npy", whole)).values.size() == 4);
}

TEST_CASE("malformed .npy files", "[formats][npy]") {
  struct Case {
    std::string content;
    ErrorCode code;
  };
  const std::string begin = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
  const std::vector<Case> cases = {
      {std::string("\x93NUMPY\x02\x00\x01\x00\x00\x00\n", 13), ErrorCode::format},
      {"NUMPY and more than ten bytes", ErrorCode::format},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", "12345678"),
       ErrorCode::unsupported},
      {npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", "1234"), ErrorCode::unsupported},
      {npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }\n", "1234"), ErrorCode::unsupported},
      {shaped("()", 1), ErrorCode::unsupported},
      {shaped("(1, 1, 1)", 1), ErrorCode::unsupported},
      {shaped("(1)", 1), ErrorCode::format},
      {shaped("(1,,)", 1), ErrorCode::format},
      {shaped("(1, )", 1), ErrorCode::format},
      {shaped("(1, 1,)", 1), ErrorCode::format},
      {shaped("(-1,)", 1), ErrorCode::format},
      {shaped("(1.0,)", 1), ErrorCode::format},
      {shaped("(18446744073709551616,)", 1), ErrorCode::format},
      {shaped("(4294967296, 4294967296)", 0), ErrorCode::format},
      {shaped("(4611686018427387904,)", 0), ErrorCode::format},
      {shaped("(2,)", 1), ErrorCode::format},
      {shaped("(1,)", 2), ErrorCode::format},
      {npy(begin + "(1,), }", "1234"), ErrorCode::format},
      {npy(begin + "(1,)\n", "1234"), ErrorCode::format},
      {npy(begin + "(1,), } x\n", "1234"), ErrorCode::format},
      {npy(begin + "(", ""), ErrorCode::format},
  };
  const Folder folder;
  for (const Case& c : cases) {
    CAPTURE(c.content);
    const auto path = folder.write("a.npy", c.content);
    const Error error = thrown_by([&] { read_npy(path); });
    CAPTURE(error.what());
    REQUIRE(error.code() == c.code);
    REQUIRE(error.file() == path.string());
  }
  REQUIRE(thrown_by([&] { read_npy(folder.path() / "absent"); }).code() == ErrorCode::io);
}
