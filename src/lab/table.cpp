#include "lab/table.h"

#include <algorithm>

namespace mla::lab {
namespace {

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // All but continuation bytes.
  }));
}

}  // namespace

std::string Table::text() const {
  std::vector<std::vector<std::string>> lines;
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  if (std::any_of(titles.begin(), titles.end(), [](const std::string& title) { return !title.empty(); }))
    lines.push_back(titles);
  lines.insert(lines.end(), rows_.begin(), rows_.end());

  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < columns_.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));

  std::string result;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string padding(widths[i] - width_of(line[i]), ' ');
      row += "  " + (columns_[i].align == Align::left ? line[i] + padding : padding + line[i]);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    result += row + "\n";
  }
  return result;
}

std::string Table::markdown() const {
  std::string titles = "|";
  std::string rule = "|";
  for (const Column& column : columns_) {
    titles += " " + column.title + " |";
    rule += column.align == Align::left ? "---|" : "---:|";
  }
  std::string result = titles + "\n" + rule + "\n";
  for (const auto& row : rows_) {
    result += "|";
    for (const std::string& cell : row) {
      result += " ";
      for (const char c : cell) result += c == '|' ? std::string("\\|") : std::string(1, c);
      result += " |";
    }
    result += "\n";
  }
  return result;
}

}  // namespace mla::lab
