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

TEST_CASE("an error escapes what a terminal would obey, and what is no UTF-8") {
  const auto shown = [](const std::string& text) {
    return std::string(Error(ErrorCode::format, text).what());
  };
  CHECK(shown("a\xC2\x9B"
              "1mb") == "a\\xc2\\x9b1mb");  // CSI as one character.
  CHECK(shown("a\xE2\x80\xAE"
              "b") == "a\\xe2\\x80\\xaeb");  // Right to left from here.
  CHECK(shown("a\xE2\x81\xA6"
              "b") == "a\\xe2\\x81\\xa6b");
  CHECK(shown("\xE2\x80\x94\xC2\xA0") == "\xE2\x80\x94\xC2\xA0");  // A dash, a space.
  CHECK(shown("a\xFF\xE4\xB8") == "a\\xff\\xe4\\xb8");
  const std::string cut = shown(std::string(599, 'x') +
                                "\xE4\xB8\xAD"
                                "y");
  CHECK(cut == std::string(599, 'x') + "\xE4\xB8\xAD...");  // No half characters.
}
