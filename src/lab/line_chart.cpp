#include <algorithm>
#include <cmath>

#include "lab/chart.h"
#include "lab/chart_frame.h"
#include "lab/svg.h"
#include "mla/error.h"

namespace mla::lab {
namespace {

constexpr std::size_t kMarkersOnALine = 9;
constexpr std::size_t kMostMarkedPoints = 24;  ///< A line of no more points has a marker at each.

struct Plot {
  SvgWriter& svg;
  PlotArea area;
  AxisRange x;
  AxisRange y;

  bool shows(const Series& series, std::size_t i) const {
    return x.shows(series.x[i]) && y.shows(series.y[i]);
  }
  double left(double value) const { return x_of(x, area, value); }
  double top(double value) const { return y_of(y, area, value); }
};

void check(const Series& series) {
  const bool bars = series.half_widths.empty() || series.half_widths.size() == series.x.size();
  if (series.x.size() != series.y.size() || !bars)
    throw Error(ErrorCode::argument, "", "chart series " + series.name,
                "found " + std::to_string(series.x.size()) + " x, " + std::to_string(series.y.size()) +
                    " y and " + std::to_string(series.half_widths.size()) +
                    " half widths, expected as many of each");
}

double half_width(const Series& series, std::size_t i) {
  return series.half_widths.empty() || !std::isfinite(series.half_widths[i]) ? 0.0 : series.half_widths[i];
}

std::vector<double> all_x(const LineChart& chart) {
  std::vector<double> values;
  for (const Series& series : chart.series) values.insert(values.end(), series.x.begin(), series.x.end());
  for (const ReferenceLine& line : chart.references)
    if (line.at == ReferenceLine::At::x) values.push_back(line.value);
  return values;
}

std::vector<double> all_y(const LineChart& chart) {
  std::vector<double> values;
  for (const Series& series : chart.series)
    for (std::size_t i = 0; i < series.y.size(); ++i)
      for (const double sign : {-1.0, 1.0}) values.push_back(series.y[i] + sign * half_width(series, i));
  for (const ReferenceLine& line : chart.references)
    if (line.at == ReferenceLine::At::y) values.push_back(line.value);
  return values;
}

/// The x axis fits the data closely: a line shall not end before the frame does.
AxisRange x_range(const LineChart& chart) {
  ChartAxis axis = chart.x;
  const std::vector<double> values = all_x(chart);
  const AxisRange wide = range_of(values, axis.scale);
  double least = wide.greatest;
  double greatest = wide.least;
  for (const double value : values) {
    if (!wide.shows(value)) continue;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  if (least < greatest) {
    axis.least = axis.least.value_or(least);
    axis.greatest = axis.greatest.value_or(greatest);
  }
  return axis_range(axis, values);
}

void draw_line(const Plot& plot, const Series& series, const SeriesStyle& style) {
  std::string data;
  bool drawing = false;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const bool shown = plot.shows(series, i);
    if (shown) {
      data += drawing ? 'L' : 'M';
      data += point(plot.left(series.x[i]), plot.top(series.y[i]));
    }
    drawing = shown;
  }
  if (!data.empty()) plot.svg.polyline(data, {.color = style.color, .width = 2.0, .dash = style.dash});
}

/// `turn` moves the markers along the line, so that those of lines on top of each other do not meet.
void draw_markers(const Plot& plot, const Series& series, const SeriesStyle& style, std::size_t turn) {
  const std::size_t count = series.x.size();
  const std::size_t step = count <= kMostMarkedPoints ? 1 : count / kMarkersOnALine;
  for (std::size_t i = step == 1 ? 0 : turn * step / kSeriesStyles; i < count; i += step)
    if (plot.shows(series, i)) draw_marker(plot.svg, plot.left(series.x[i]), plot.top(series.y[i]), style);
}

void draw_error_bars(const Plot& plot, const Series& series, const SeriesStyle& style) {
  const Stroke stroke = {.color = style.color, .width = 1.4};
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    const double half = half_width(series, i);
    if (half == 0.0 || !plot.shows(series, i)) continue;
    const double x = plot.left(series.x[i]);
    const double low = series.y[i] - half;
    const double bottom = plot.y.shows(low) ? plot.top(low) : plot.area.bottom;
    const double top = plot.top(series.y[i] + half);
    plot.svg.line(x, top, x, bottom, stroke);
    plot.svg.line(x - 3.0, top, x + 3.0, top, stroke);
    plot.svg.line(x - 3.0, bottom, x + 3.0, bottom, stroke);
  }
}

void draw_reference(const Plot& plot, const ReferenceLine& reference) {
  const Stroke stroke = {.color = "currentColor", .width = 1.2, .dash = "4 4", .opacity = 0.7};
  const PlotArea& area = plot.area;
  if (reference.at == ReferenceLine::At::y) {
    if (!plot.y.shows(reference.value)) return;
    const double y = plot.top(reference.value);
    plot.svg.line(area.left, y, area.right, y, stroke);
    plot.svg.text(area.right - 4.0, y - 5.0, reference.label, {.size = kSmallSize, .anchor = Anchor::end});
    return;
  }
  if (!plot.x.shows(reference.value)) return;
  const double x = plot.left(reference.value);
  const bool right_half = x > (area.left + area.right) / 2.0;
  plot.svg.line(x, area.top, x, area.bottom, stroke);
  plot.svg.text(right_half ? x - 5.0 : x + 5.0, area.top + 12.0, reference.label,
                {.size = kSmallSize, .anchor = right_half ? Anchor::end : Anchor::start});
}

}  // namespace

std::string draw(const LineChart& chart) {
  for (const Series& series : chart.series) check(series);
  SvgWriter svg(chart.width, chart.height, chart.title, chart.description);
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    legend.push_back({chart.series[i].name, series_style(chart.series[i].name, i)});
  double top = draw_title(svg, chart.title, chart.width);
  if (legend.size() > 1) top = draw_legend(svg, legend, top, chart.width, true);

  const AxisRange x = x_range(chart);
  const AxisRange y = axis_range(chart.y, all_y(chart));
  const PlotArea outer = {6.0, top + 8.0, chart.width - 22.0, chart.height - kXAxisHeight};
  const PlotArea area = draw_y_axis(svg, chart.y, y, outer);
  draw_x_axis(svg, chart.x, x, area);

  const Plot plot = {svg, area, x, y};
  svg.begin_clip(area.left - 6.0, area.top - 6.0, area.width() + 12.0, area.height() + 12.0);
  for (const ReferenceLine& reference : chart.references) draw_reference(plot, reference);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    draw_line(plot, chart.series[i], legend[i].style);
    draw_error_bars(plot, chart.series[i], legend[i].style);
    draw_markers(plot, chart.series[i], legend[i].style, i % kSeriesStyles);
  }
  svg.end_clip();
  return svg.finish();
}

}  // namespace mla::lab
