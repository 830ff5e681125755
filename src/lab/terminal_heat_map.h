// A heat map of characters: colours where the terminal has them, else shades of one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lab/palette.h"

namespace mla::lab {

enum class TerminalColor {
  none,     ///< No escape codes: the characters " ░▒▓█", one a cell.
  indexed,  ///< 256 colours; two rows of cells in a line of text.
  direct,   ///< 24-bit colours.
};

struct TerminalHeatMap {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<double> values;  ///< Row by row; what is not finite is blank.
  std::vector<std::string> row_labels;
  std::vector<std::size_t> col_numbers;  ///< What the columns stand for; some are written below.
  ColorScale scale = ColorScale::sequential;
  double least = 0.0;
  double greatest = 1.0;
};

/// Lines of text that end with a scale. Each column takes `cell_width` characters.
std::string draw_terminal(const TerminalHeatMap& map, std::size_t cell_width, TerminalColor color);

}  // namespace mla::lab
