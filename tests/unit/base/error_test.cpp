#include "mla/error.h"

#include <catch2/catch.hpp>

#include <string>

using namespace mla;

TEST_CASE("an error names file, field and message in one line") {
  const Error error(ErrorCode::mismatch, "config.json", "rope.factor", "found 3, expected 4");
  CHECK(std::string(error.what()) == "config.json: rope.factor: found 3, expected 4");
  CHECK(error.code() == ErrorCode::mismatch);
  CHECK(error.file() == "config.json");
  CHECK(error.field() == "rope.factor");
}

TEST_CASE("an error leaves out the parts that are empty") {
  CHECK(std::string(Error(ErrorCode::io, "a", "", "c").what()) == "a: c");
  CHECK(std::string(Error(ErrorCode::io, "", "b", "c").what()) == "b: c");
  const Error error(ErrorCode::argument, "c");
  CHECK(std::string(error.what()) == "c");
  CHECK(error.code() == ErrorCode::argument);
  CHECK(error.file().empty());
  CHECK(error.field().empty());
}

TEST_CASE("an error escapes control characters in every part") {
  const Error error(ErrorCode::format, "a\nb", "c\x1b[2J", std::string("d\r\x7f\0e", 5));
  CHECK(std::string(error.what()) == "a\\x0ab: c\\x1b[2J: d\\x0d\\x7f\\x00e");
  CHECK(error.file() == "a\nb");
}

TEST_CASE("an error keeps text beyond ASCII as it is") {
  CHECK(std::string(Error(ErrorCode::format, " ~\xC3\xA9\xE4\xB8\xAD").what()) == " ~\xC3\xA9\xE4\xB8\xAD");
}

TEST_CASE("an error cuts a very long part") {
  CHECK(std::string(Error(ErrorCode::format, std::string(600, 'x')).what()) == std::string(600, 'x'));
  CHECK(std::string(Error(ErrorCode::format, std::string(601, 'x')).what()) == std::string(600, 'x') + "...");
  CHECK(std::string(Error(ErrorCode::format, std::string(5000, 'f'), "g", "h").what()) ==
        std::string(600, 'f') + "...: g: h");
}
