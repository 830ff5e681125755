// Charts as <svg> elements. A number that is not finite is a gap, and on a logarithmic axis one that is not
// positive; an empty chart is drawn, too. The same input gives the same text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lab/axis.h"
#include "lab/palette.h"

namespace mla::lab {

struct ChartAxis {
  std::string title;
  Scale scale = Scale::linear;
  std::optional<double> least = {};  ///< Where the data shall not decide.
  std::optional<double> greatest = {};
};

/// A dashed line across the chart with its name: a trained length, a reference value.
struct ReferenceLine {
  enum class At { x, y } at = At::x;
  double value = 0.0;
  std::string label;
};

struct Series {
  std::string name;  ///< An encoding's name gives the series that encoding's style.
  std::vector<double> x;
  std::vector<double> y;                 ///< As many as x.
  std::vector<double> half_widths = {};  ///< Error bars, y - h to y + h; none if empty.
};

struct LineChart {
  std::string title;
  std::string description;  ///< For screen readers: what there is to see.
  ChartAxis x;
  ChartAxis y;
  std::vector<Series> series;  ///< With a legend if there are several.
  std::vector<ReferenceLine> references = {};
  double width = 720.0;
  double height = 380.0;
};

struct BarSeries {
  std::string name;
  std::vector<double> values;            ///< One a group.
  std::vector<double> half_widths = {};  ///< None if empty.
};

struct BarChart {
  std::string title;
  std::string description;
  std::vector<std::string> groups;
  ChartAxis y;  ///< Linear; holds 0 unless limits say otherwise.
  std::vector<BarSeries> series;
  double width = 720.0;
  double height = 380.0;
};

struct HeatMap {
  std::string title;
  std::string description;
  std::string x_title;
  std::string y_title;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<double> values;  ///< Row by row, the first row on top; what is not finite is left blank.
  /// Empty: the indices `first_row`, `first_row` + `row_stride`, ...
  std::vector<std::string> row_labels = {};
  std::vector<std::string> col_labels = {};
  std::size_t first_row = 0;
  std::size_t first_col = 0;
  std::size_t row_stride = 1;
  std::size_t col_stride = 1;
  ColorScale scale = ColorScale::sequential;
  std::string value_title = {};      ///< Above the colour bar.
  std::optional<double> least = {};  ///< A diverging scale without limits is symmetric about 0.
  std::optional<double> greatest = {};
  double width = 720.0;
  double height = 0.0;  ///< 0: as the cells want it.
};

/// Throw Error(argument) if the parts of a chart do not fit together.
std::string draw(const LineChart& chart);
std::string draw(const BarChart& chart);
std::string draw(const HeatMap& map);

}  // namespace mla::lab
