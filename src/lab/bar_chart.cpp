#include <algorithm>
#include <cmath>

#include "lab/chart.h"
#include "lab/chart_frame.h"
#include "lab/svg.h"
#include "mla/error.h"

namespace mla::lab {
namespace {

void check(const BarChart& chart) {
  for (const BarSeries& series : chart.series) {
    const bool bars = series.half_widths.empty() || series.half_widths.size() == chart.groups.size();
    if (series.values.size() != chart.groups.size() || !bars)
      throw Error(ErrorCode::argument, "", "chart series " + series.name,
                  "found " + std::to_string(series.values.size()) + " values and " +
                      std::to_string(series.half_widths.size()) + " half widths, expected " +
                      std::to_string(chart.groups.size()) + ", one a group");
  }
}

double half_width(const BarSeries& series, std::size_t group) {
  return series.half_widths.empty() || !std::isfinite(series.half_widths[group]) ? 0.0
                                                                                 : series.half_widths[group];
}

std::vector<double> extent(const BarChart& chart) {
  std::vector<double> values = {0.0};
  for (const BarSeries& series : chart.series)
    for (std::size_t group = 0; group < series.values.size(); ++group)
      for (const double sign : {-1.0, 1.0})
        values.push_back(series.values[group] + sign * half_width(series, group));
  return values;
}

struct Bars {
  SvgWriter& svg;
  const BarChart& chart;
  PlotArea area;
  AxisRange y;

  double slot() const {
    return area.width() / static_cast<double>(std::max<std::size_t>(chart.groups.size(), 1));
  }

  void draw_bar(std::size_t group, std::size_t index) const;
  void draw_group_label(std::size_t group, double rotation) const;
};

void Bars::draw_bar(std::size_t group, std::size_t index) const {
  const BarSeries& series = chart.series[index];
  const double value = series.values[group];
  const double width = 0.82 * slot() / static_cast<double>(chart.series.size());
  const double left =
      area.left + slot() * (static_cast<double>(group) + 0.09) + width * static_cast<double>(index);
  const double base = y_of(y, area, std::clamp(0.0, y.least, y.greatest));
  if (!std::isfinite(value)) {
    svg.text(left + width / 2.0, base - 4.0, width >= 20.0 ? "n/a" : "\u2013",
             {.size = kSmallSize, .anchor = Anchor::middle, .opacity = 0.8});
    return;
  }
  const double end = y_of(y, area, std::clamp(value, y.least, y.greatest));
  const double gap = std::min(1.0, width * 0.1);
  svg.rect(left + gap / 2.0, std::min(base, end), width - gap, std::max(std::abs(end - base), 0.75),
           series_style(series.name, index).color);
  const double half = half_width(series, group);
  if (half == 0.0) return;
  const Stroke stroke = {.color = "currentColor", .width = 1.3};
  const double middle = left + width / 2.0;
  const double low = y_of(y, area, std::clamp(value - half, y.least, y.greatest));
  const double high = y_of(y, area, std::clamp(value + half, y.least, y.greatest));
  const double cap = std::min(4.0, width / 3.0);
  svg.line(middle, low, middle, high, stroke);
  svg.line(middle - cap, low, middle + cap, low, stroke);
  svg.line(middle - cap, high, middle + cap, high, stroke);
}

void Bars::draw_group_label(std::size_t group, double rotation) const {
  const double x = area.left + slot() * (static_cast<double>(group) + 0.5);
  svg.text(
      x, area.bottom + 18.0, chart.groups[group],
      {.size = kLabelSize, .anchor = rotation == 0.0 ? Anchor::middle : Anchor::end, .rotation = rotation});
}

}  // namespace

std::string draw(const BarChart& chart) {
  check(chart);
  SvgWriter svg(chart.width, chart.height, chart.title, chart.description);
  double top = draw_title(svg, chart.title, chart.width);
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    legend.push_back({chart.series[i].name, series_style(chart.series[i].name, i)});
  if (legend.size() > 1) top = draw_legend(svg, legend, top, chart.width, false);

  double longest = 0.0;
  for (const std::string& group : chart.groups) longest = std::max(longest, text_width(group, kLabelSize));
  const double room =
      (chart.width - 80.0) / static_cast<double>(std::max<std::size_t>(chart.groups.size(), 1));
  const bool turned = longest + 8.0 > room;
  const double label_height = turned ? 24.0 + longest * 0.6 : 30.0;

  ChartAxis axis = chart.y;
  axis.scale = Scale::linear;
  const AxisRange y = axis_range(axis, extent(chart));
  const PlotArea area =
      draw_y_axis(svg, axis, y, {6.0, top + 8.0, chart.width - 16.0, chart.height - label_height});
  const Bars bars = {svg, chart, area, y};
  for (std::size_t group = 0; group < chart.groups.size(); ++group) {
    for (std::size_t index = 0; index < chart.series.size(); ++index) bars.draw_bar(group, index);
    bars.draw_group_label(group, turned ? -35.0 : 0.0);
  }
  const double base = y_of(y, area, std::clamp(0.0, y.least, y.greatest));
  svg.line(area.left, base, area.right, base, {.opacity = 0.6});
  return svg.finish();
}

}  // namespace mla::lab
