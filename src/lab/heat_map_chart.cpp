#include <algorithm>
#include <cmath>
#include <map>

#include "lab/chart.h"
#include "lab/chart_frame.h"
#include "lab/svg.h"
#include "mla/error.h"

namespace mla::lab {
namespace {

constexpr std::size_t kLevels = 64;  ///< Colours in a picture: cells of one colour are one path.
constexpr double kBarWidth = 14.0;
constexpr double kColorBarRoom = 78.0;  ///< With its labels, right of the plot.
constexpr double kLargestCell = 26.0;
constexpr double kLeastHeight = 90.0;
constexpr double kFlatCell = 14.0;  ///< Height of the cells in a map much wider than high.
constexpr double kFlatHeight = 240.0;

struct Limits {
  double least = 0.0;
  double greatest = 1.0;
};

Limits limits_of(const HeatMap& map) {
  Limits limits{HUGE_VAL, -HUGE_VAL};
  for (const double value : map.values) {
    if (!std::isfinite(value)) continue;
    limits.least = std::min(limits.least, value);
    limits.greatest = std::max(limits.greatest, value);
  }
  if (limits.least > limits.greatest) limits = {};
  if (map.scale == ColorScale::diverging) {
    const double size = std::max(std::abs(limits.least), std::abs(limits.greatest));
    limits = {-size, size};
  }
  limits = {map.least.value_or(limits.least), map.greatest.value_or(limits.greatest)};
  if (!(limits.greatest > limits.least)) limits.greatest = limits.least + 1.0;
  return limits;
}

std::string row_label(const HeatMap& map, std::size_t row) {
  return map.row_labels.empty() ? std::to_string(map.first_row + row * map.row_stride) : map.row_labels[row];
}

std::string col_label(const HeatMap& map, std::size_t col) {
  return map.col_labels.empty() ? std::to_string(map.first_col + col * map.col_stride) : map.col_labels[col];
}

double widest_label(const HeatMap& map, std::string (*label)(const HeatMap&, std::size_t),
                    std::size_t count) {
  double width = 0.0;
  for (std::size_t i = 0; i < count; ++i) width = std::max(width, text_width(label(map, i), kSmallSize));
  return width;
}

/// Every how many cells there is room for a label of the size `needed`.
std::size_t label_step(std::size_t count, double cell, double needed) {
  const double least = needed / cell;
  if (least <= 1.0) return 1;
  for (std::size_t power = 1;; power *= 10)
    for (const std::size_t factor : {1U, 2U, 4U, 5U, 8U})
      if (static_cast<double>(factor * power) >= least || factor * power >= count) return factor * power;
}

/// A rectangle, as path data.
std::string box(double x, double y, double width, double height) {
  std::string data = "M";
  data += point(x, y) + "h" + coordinate(width) + "v" + coordinate(height) + "h" + coordinate(-width) + "z";
  return data;
}

struct Cells {
  SvgWriter& svg;
  const HeatMap& map;
  PlotArea area;
  Limits limits;

  double cell_width() const { return area.width() / static_cast<double>(map.cols); }
  double cell_height() const { return area.height() / static_cast<double>(map.rows); }

  std::size_t level(double value) const {
    const double share = (value - limits.least) / (limits.greatest - limits.least);
    return static_cast<std::size_t>(
        std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(kLevels - 1)));
  }

  void draw_cells() const;
  void draw_labels(bool turned) const;
  void draw_color_bar() const;
};

void Cells::draw_cells() const {
  std::map<std::size_t, std::string> paths;
  for (std::size_t row = 0; row < map.rows; ++row) {
    const double y = area.top + static_cast<double>(row) * cell_height();
    for (std::size_t col = 0; col < map.cols;) {
      const double value = map.values[row * map.cols + col];
      const std::size_t first = col++;
      if (!std::isfinite(value)) continue;
      const auto same = [&](std::size_t i) {
        const double other = map.values[row * map.cols + i];
        return std::isfinite(other) && level(other) == level(value);
      };
      while (col < map.cols && same(col)) ++col;
      paths[level(value)] += box(area.left + static_cast<double>(first) * cell_width(), y,
                                 static_cast<double>(col - first) * cell_width(), cell_height());
    }
  }
  for (const auto& [index, data] : paths)
    svg.filled_path(
        data, hexadecimal(color_at(map.scale, static_cast<double>(index) / static_cast<double>(kLevels - 1))),
        true);
}

void Cells::draw_labels(bool turned) const {
  const double label_width = widest_label(map, col_label, map.cols) + 10.0;
  const std::size_t col_step = label_step(map.cols, cell_width(), turned ? kSmallSize + 3.0 : label_width);
  for (std::size_t col = 0; col < map.cols; col += col_step) {
    const double x = area.left + (static_cast<double>(col) + 0.5) * cell_width();
    const std::string label = col_label(map, col);
    if (turned)
      svg.text(x + 4.0, area.bottom + 8.0, label,
               {.size = kSmallSize, .anchor = Anchor::end, .rotation = -60.0});
    else
      svg.text(x, area.bottom + 15.0, label, {.size = kSmallSize, .anchor = Anchor::middle});
  }
  const std::size_t row_step = label_step(map.rows, cell_height(), kSmallSize + 2.0);
  for (std::size_t row = 0; row < map.rows; row += row_step) {
    const double y = area.top + (static_cast<double>(row) + 0.5) * cell_height();
    svg.text(area.left - 5.0, y + 4.0, row_label(map, row), {.size = kSmallSize, .anchor = Anchor::end});
  }
}

void Cells::draw_color_bar() const {
  const double left = area.right + 16.0;
  const double step = area.height() / static_cast<double>(kLevels);
  for (std::size_t i = 0; i < kLevels; ++i) {
    const std::string data =
        box(left, area.bottom - static_cast<double>(i + 1) * step, kBarWidth, step + 0.3);
    svg.filled_path(
        data, hexadecimal(color_at(map.scale, static_cast<double>(i) / static_cast<double>(kLevels - 1))),
        true);
  }
  const AxisRange range = {limits.least, limits.greatest, Scale::linear};
  const std::size_t most = std::max<std::size_t>(2, static_cast<std::size_t>(area.height() / 36.0));
  for (const Tick& tick : ticks(range, most)) {
    const double y = y_of(range, area, tick.value);
    svg.line(left + kBarWidth, y, left + kBarWidth + 4.0, y, {.opacity = 0.6});
    svg.text(left + kBarWidth + 7.0, y + 4.0, tick.label, {.size = kSmallSize});
  }
  if (!map.value_title.empty())
    svg.text(area.right + kColorBarRoom - 4.0, area.top - 8.0, map.value_title,
             {.size = kSmallSize, .anchor = Anchor::end});
}

void check(const HeatMap& map) {
  const bool rows = map.row_labels.empty() || map.row_labels.size() == map.rows;
  const bool cols = map.col_labels.empty() || map.col_labels.size() == map.cols;
  if (map.values.size() != map.rows * map.cols || !rows || !cols)
    throw Error(ErrorCode::argument, "", "heat map",
                "found " + std::to_string(map.values.size()) + " values, " +
                    std::to_string(map.row_labels.size()) + " row and " +
                    std::to_string(map.col_labels.size()) + " column labels, expected those of " +
                    std::to_string(map.rows) + " rows and " + std::to_string(map.cols) + " columns");
}

}  // namespace

std::string draw(const HeatMap& map) {
  check(map);
  const double rows = static_cast<double>(std::max<std::size_t>(map.rows, 1));
  const double cols = static_cast<double>(std::max<std::size_t>(map.cols, 1));
  PlotArea area;
  area.left = 6.0 + widest_label(map, row_label, map.rows) + 10.0 + (map.y_title.empty() ? 0.0 : 20.0);
  area.right = map.width - kColorBarRoom;
  area.top = (map.title.empty() ? 12.0 : 36.0) + (map.value_title.empty() ? 4.0 : 16.0);
  // Square cells where the picture would become neither too high nor too flat.
  const double cell = std::min(kLargestCell, area.width() / cols);
  const double plot_height = std::clamp(
      rows * cell, std::max(kLeastHeight, std::min(rows * kFlatCell, kFlatHeight)), map.width * 0.75);
  if (map.height <= 0.0 && map.rows == map.cols) area.right = std::min(area.right, area.left + plot_height);
  const double longest = widest_label(map, col_label, map.cols);
  const bool turned = !map.col_labels.empty() && longest + 4.0 > area.width() / cols;
  const double below = (turned ? 14.0 + 0.87 * longest : 20.0) + (map.x_title.empty() ? 4.0 : 22.0);
  const double height = map.height > 0.0 ? map.height : area.top + plot_height + below;
  area.bottom = std::max(height - below, area.top + 20.0);
  const double width = area.right + kColorBarRoom;

  SvgWriter svg(width, height, map.title, map.description);
  draw_title(svg, map.title, width);
  if (map.rows > 0 && map.cols > 0) {
    const Cells cells = {svg, map, area, limits_of(map)};
    cells.draw_cells();
    cells.draw_labels(turned);
    cells.draw_color_bar();
  }
  if (!map.x_title.empty())
    svg.text((area.left + area.right) / 2.0, height - 8.0, map.x_title, {.anchor = Anchor::middle});
  if (!map.y_title.empty())
    svg.text(16.0, (area.top + area.bottom) / 2.0, map.y_title,
             {.anchor = Anchor::middle, .rotation = -90.0});
  return svg.finish();
}

}  // namespace mla::lab
