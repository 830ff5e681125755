#include "runtime/stop_matcher.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using mla::StopMatcher;

namespace {

struct Outcome {
  std::string text;
  bool stopped;
};

/// `text` in pieces of `size` bytes; all that came out.
Outcome feed(const std::vector<std::string>& stops, const std::string& text, std::size_t size) {
  StopMatcher matcher(stops);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += size) out += matcher.push(text.substr(at, size));
  out += matcher.finish();
  return {out, matcher.stopped()};
}

}  // namespace

TEST_CASE("text ends before the first stop string, however it is split", "[stop]") {
  struct Case {
    std::vector<std::string> stops;
    std::string text;
    std::string expected;
    bool stopped;
  };
  const std::vector<Case> cases = {
      {{"END"}, "one END two", "one ", true}, {{"END"}, "END", "", true},
      {{"END"}, "one EN", "one EN", false},   {{"END"}, "EEND", "E", true},
      {{"aab"}, "aaaab", "aa", true},         {{"abab"}, "abaabab", "aba", true},
      {{"xyz", "bc"}, "abcxyz", "a", true},   {{"two", "one"}, "one two", "", true},
      {{""}, "anything", "anything", false},  {{"", "y"}, "anything", "an", true},
      {{}, "anything", "anything", false},    {{"\n\n"}, "a\nb\n\nc", "a\nb", true},
  };
  for (const Case& item : cases)
    for (std::size_t size = 1; size <= item.text.size(); ++size) {
      CAPTURE(item.text, size);
      const Outcome outcome = feed(item.stops, item.text, size);
      CHECK(outcome.text == item.expected);
      CHECK(outcome.stopped == item.stopped);
    }
}

TEST_CASE("only what may begin a stop string is held back", "[stop]") {
  StopMatcher matcher({"END"});
  CHECK(matcher.push("abcE") == "abc");
  CHECK(matcher.push("N").empty());
  CHECK(matcher.push("x") == "ENx");
  CHECK(matcher.push("E").empty());
  CHECK(matcher.finish() == "E");
  CHECK(matcher.finish().empty());
  CHECK_FALSE(matcher.stopped());
}

TEST_CASE("nothing comes out behind a stop string", "[stop]") {
  StopMatcher matcher({"b"});
  CHECK(matcher.push("abc") == "a");
  CHECK(matcher.stopped());
  CHECK(matcher.push("more").empty());
  CHECK(matcher.finish().empty());
}
