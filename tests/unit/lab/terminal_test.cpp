// The laboratory's text: heat maps of characters, tables, and the study that fits a terminal.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "lab/encoding_study_text.h"
#include "lab/table.h"
#include "lab/terminal_heat_map.h"

using namespace mla;
using namespace mla::lab;

namespace {

TerminalHeatMap two_by_three() {
  TerminalHeatMap map;
  map.rows = 2;
  map.cols = 3;
  map.values = {0.0, 0.5, 1.0, 1.0, 0.5, 0.0};
  map.row_labels = {"0", "1"};
  map.col_numbers = {7, 8, 9};
  return map;
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::size_t length = 0;
  for (const char c : text) {
    length = c == '\n' ? 0 : length + ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0);
    longest = std::max(longest, length);
  }
  return longest;
}

}  // namespace

TEST_CASE("terminal: without colours shades and no escape codes", "[lab]") {
  const std::string text = draw_terminal(two_by_three(), 1, TerminalColor::none);
  CHECK(text.starts_with("0 \u2502 \u2592\u2588\u2502\n1 \u2502\u2588\u2592 \u2502\n   7\n"));
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("terminal: with colours two rows a line, and each line ends without colour", "[lab]") {
  const std::string text = draw_terminal(two_by_three(), 1, TerminalColor::direct);
  CHECK(text.starts_with("0 \u2502\x1b[38;2;68;1;84m\x1b[48;2;253;231;37m\u2580"));
  const std::string line = text.substr(0, text.find('\n'));
  CHECK(line.ends_with("\x1b[0m"));
  CHECK(text.find("1 \u2502") == std::string::npos);
  const std::string indexed = draw_terminal(two_by_three(), 1, TerminalColor::indexed);
  // Viridis' yellow (253, 231, 37) is nearest to (255, 215, 0): 16 + 36 * 5 + 6 * 4.
  CHECK(indexed.find("\x1b[48;5;220m") != std::string::npos);
}

TEST_CASE("terminal: a table's columns are as wide as their cells", "[lab]") {
  Table table({{"a", Align::left}, {"number", Align::right}});
  table.add({"gr\u00fcn", "1"});
  table.add({"b", "23"});
  CHECK(table.text() == "  a     number\n  gr\u00fcn       1\n  b         23\n");
}

TEST_CASE("terminal: a study fits 100 columns and says what it leaves out", "[lab]") {
  StudyRequest asked;
  asked.last = 999;
  asked.dims = 128;
  asked.settings.rope.type = RopeType::yarn;
  asked.settings.rope.factor = 4.0;
  asked.settings.rope.original_max_position_embeddings = 128;
  asked.settings.table = PositionTable{.values = std::vector<float>(1000 * 128, 0.25F), .dims = 128};
  for (const EncodingEntry* entry : encodings()) {
    INFO(entry->name);
    const std::string text = as_text(study_encoding(*entry, asked), TerminalColor::none);
    CHECK(longest_line(text) <= 100);
    CHECK(text.find("1 of 12 ") != std::string::npos);
    CHECK(text.find("1 of 2 ") != std::string::npos);
    CHECK(text.find(std::string(entry->source)) != std::string::npos);
    CHECK(text.find("nan") == std::string::npos);
  }
  CHECK(longest_line(list_encodings()) <= 100);
}
