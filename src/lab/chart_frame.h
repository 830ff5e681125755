// What the charts share: title, legend, axes with grid and ticks, and the way from values to coordinates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/chart.h"
#include "lab/svg.h"

namespace mla::lab {

inline constexpr double kLabelSize = 12.0;
inline constexpr double kSmallSize = 11.0;

/// The rectangle in which the data is drawn.
struct PlotArea {
  double left = 0.0;
  double top = 0.0;
  double right = 0.0;
  double bottom = 0.0;

  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

struct LegendEntry {
  std::string name;
  SeriesStyle style;
};

/// The title at the top of a picture; what follows may begin at the y that is returned.
double draw_title(SvgWriter& svg, std::string_view title, double width);

/// Rows of samples with names from y = `top` on, lines with markers or filled squares; returns where it ends.
double draw_legend(SvgWriter& svg, const std::vector<LegendEntry>& entries, double top, double width,
                   bool lines);

void draw_marker(SvgWriter& svg, double x, double y, const SeriesStyle& style);

/// The range of an axis: what the data needs, but for the limits the axis sets. Throws Error(argument) for limits
/// that enclose nothing.
AxisRange axis_range(const ChartAxis& axis, const std::vector<double>& values);

/// The y axis with its grid to the right of `left`, at most until `right`; returns the plot's area, which begins
/// where labels and title end.
PlotArea draw_y_axis(SvgWriter& svg, const ChartAxis& axis, const AxisRange& range, const PlotArea& outer);

void draw_x_axis(SvgWriter& svg, const ChartAxis& axis, const AxisRange& range, const PlotArea& area);

/// The title below an x axis.
void draw_x_title(SvgWriter& svg, std::string_view title, const PlotArea& area);

inline constexpr double kXAxisHeight = 46.0;  ///< Below the plot: tick labels and title.

inline double x_of(const AxisRange& range, const PlotArea& area, double value) {
  return area.left + range.share(value) * area.width();
}
inline double y_of(const AxisRange& range, const PlotArea& area, double value) {
  return area.bottom - range.share(value) * area.height();
}

}  // namespace mla::lab
