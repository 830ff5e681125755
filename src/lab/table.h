// Text in columns.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mla::lab {

enum class Align { left, right };

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  /// A table whose titles are all empty has no title line.
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns. UTF-8; a character is taken to be one wide.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string text() const;
  /// As GitHub's flavour of Markdown has it.
  std::string markdown() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace mla::lab
