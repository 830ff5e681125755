#include "lab/terminal_heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lab/axis.h"

namespace mla::lab {
namespace {

constexpr std::array<std::string_view, 5> kShades = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
constexpr std::string_view kUpperHalf = "\u2580";
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::size_t kScaleCells = 20;

/// The nearest of the 6 x 6 x 6 colours of a 256-colour terminal.
unsigned indexed_color(Rgb color) {
  constexpr std::array<int, 6> kSteps = {0, 95, 135, 175, 215, 255};
  unsigned index = 16;
  unsigned weight = 36;
  for (const std::uint8_t channel : {color.red, color.green, color.blue}) {
    const auto nearest = std::min_element(kSteps.begin(), kSteps.end(), [&](int a, int b) {
      return std::abs(a - channel) < std::abs(b - channel);
    });
    index += weight * static_cast<unsigned>(nearest - kSteps.begin());
    weight /= 6;
  }
  return index;
}

/// The escape code that sets the colour of the text (`layer` 38) or of what is behind it (48).
std::string escape_code(unsigned layer, Rgb color, TerminalColor kind) {
  const std::string start = "\x1b[" + std::to_string(layer);
  if (kind == TerminalColor::indexed) return start + ";5;" + std::to_string(indexed_color(color)) + "m";
  return start + ";2;" + std::to_string(color.red) + ";" + std::to_string(color.green) + ";" +
         std::to_string(color.blue) + "m";
}

class Painter {
 public:
  Painter(const TerminalHeatMap& map, std::size_t cell_width, TerminalColor color)
      : map_(map), cell_width_(cell_width), color_(color) {
    for (const std::string& label : map.row_labels) margin_ = std::max(margin_, label.size());
  }

  std::string draw() {
    const std::size_t rows_a_line = color_ == TerminalColor::none ? 1 : 2;
    for (std::size_t row = 0; row < map_.rows; row += rows_a_line) {
      add_label(row);
      if (color_ == TerminalColor::none)
        add_shades(row);
      else
        add_halves(row);
      text_ += "\n";
    }
    add_column_numbers();
    add_scale();
    return text_;
  }

 private:
  double share(double value) const { return (value - map_.least) / (map_.greatest - map_.least); }
  double value(std::size_t row, std::size_t col) const { return map_.values[row * map_.cols + col]; }

  void add_label(std::size_t row) {
    const std::string& label = map_.row_labels[row];
    text_ += std::string(margin_ - label.size(), ' ') + label + " \u2502";
  }

  static std::string_view shade(double share) {
    const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(kShades.size());
    return kShades[std::min(static_cast<std::size_t>(place), kShades.size() - 1)];
  }

  void add_shades(std::size_t row) {
    for (std::size_t col = 0; col < map_.cols; ++col)
      for (std::size_t i = 0; i < cell_width_; ++i)
        text_ += std::isfinite(value(row, col)) ? shade(share(value(row, col))) : " ";
    text_ += "\u2502";
  }

  /// Two rows: the upper is the colour of the character, the lower the one behind it.
  void add_halves(std::size_t row) {
    std::string before;
    for (std::size_t col = 0; col < map_.cols; ++col) {
      std::string code;
      const bool upper = std::isfinite(value(row, col));
      const bool lower = row + 1 < map_.rows && std::isfinite(value(row + 1, col));
      code += upper ? escape_code(38, color_at(map_.scale, share(value(row, col))), color_) : "\x1b[39m";
      code += lower ? escape_code(48, color_at(map_.scale, share(value(row + 1, col))), color_) : "\x1b[49m";
      if (code != before) text_ += code;
      before = code;
      for (std::size_t i = 0; i < cell_width_; ++i) text_ += upper ? kUpperHalf : " ";
    }
    text_ += kReset;
  }

  /// Below every n-th column its number, n as small as there is room for.
  void add_column_numbers() {
    if (map_.cols == 0) return;
    const std::size_t longest = std::to_string(map_.col_numbers.back()).size();
    std::size_t step = 4;
    while (step * cell_width_ < longest + 2) step *= 2;
    const std::size_t end = margin_ + 2 + map_.cols * cell_width_;
    std::string line;
    for (std::size_t col = 0; col < map_.cols; col += step) {
      const std::string number = std::to_string(map_.col_numbers[col]);
      const std::size_t place = margin_ + 2 + col * cell_width_;
      if (place + number.size() > end) break;
      line.resize(place, ' ');
      line += number;
    }
    text_ += line + "\n";
  }

  void add_scale() {
    text_ += std::string(margin_ + 2, ' ') + short_number(map_.least) + " \u2502";
    for (std::size_t i = 0; i < kScaleCells; ++i) {
      const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(kScaleCells);
      if (color_ == TerminalColor::none)
        text_ += shade(place);
      else
        text_ += escape_code(48, color_at(map_.scale, place), color_) + " ";
    }
    if (color_ != TerminalColor::none) text_ += kReset;
    text_ += "\u2502 ";
    text_ += short_number(map_.greatest) + "\n";
  }

  const TerminalHeatMap& map_;
  std::size_t cell_width_;
  TerminalColor color_;
  std::size_t margin_ = 0;
  std::string text_;
};

}  // namespace

std::string draw_terminal(const TerminalHeatMap& map, std::size_t cell_width, TerminalColor color) {
  return Painter(map, cell_width, color).draw();
}

}  // namespace mla::lab
