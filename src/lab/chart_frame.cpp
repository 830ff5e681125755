#include "lab/chart_frame.h"

#include <algorithm>
#include <cmath>

#include "mla/error.h"

namespace mla::lab {
namespace {

constexpr double kMargin = 12.0;
constexpr double kTitleSize = 15.0;
constexpr double kLegendRow = 19.0;
constexpr double kSample = 30.0;  ///< Length of a line's sample.
constexpr Stroke kGrid = {.color = kGridColor, .width = 1.0};
constexpr Stroke kAxis = {.color = "currentColor", .width = 1.0, .opacity = 0.6};

std::string closed(std::initializer_list<std::pair<double, double>> points) {
  std::string data;
  for (const auto& [x, y] : points) {
    data += data.empty() ? 'M' : 'L';
    data += point(x, y);
  }
  return data + "Z";
}

/// Two half circles.
std::string circle(double x, double y, double radius) {
  std::string data = "M";
  data += point(x - radius, y);
  for (const double way : {2.0 * radius, -2.0 * radius}) {
    data += 'a';
    data += point(radius, radius) + " 0 1 0 " + point(way, 0.0);
  }
  return data + "Z";
}

}  // namespace

double draw_title(SvgWriter& svg, std::string_view title, double width) {
  if (title.empty()) return kMargin;
  const double room = width - 2.0 * kMargin;
  const double size = std::min(kTitleSize, kTitleSize * room / text_width(title, kTitleSize));
  svg.text(kMargin, 24.0, title, {.size = size, .bold = true});
  return 36.0;
}

double draw_legend(SvgWriter& svg, const std::vector<LegendEntry>& entries, double top, double width,
                   bool lines) {
  const double sample = lines ? kSample : 12.0;
  double x = kMargin;
  double y = top + 10.0;
  for (const LegendEntry& entry : entries) {
    const double needed = sample + 6.0 + text_width(entry.name, kLabelSize) + 16.0;
    if (x > kMargin && x + needed > width) {
      x = kMargin;
      y += kLegendRow;
    }
    if (lines) {
      svg.line(x, y, x + sample, y, {.color = entry.style.color, .width = 2.0, .dash = entry.style.dash});
      draw_marker(svg, x + sample / 2.0, y, entry.style);
    } else {
      svg.rect(x, y - 6.0, sample, 12.0, entry.style.color);
    }
    svg.text(x + sample + 6.0, y + 4.0, entry.name, {.size = kLabelSize});
    x += needed;
  }
  return entries.empty() ? top : y + 14.0;
}

void draw_marker(SvgWriter& svg, double x, double y, const SeriesStyle& style) {
  constexpr double r = 4.0;
  const Stroke stroke = {.color = style.color, .width = 2.0};
  switch (style.marker) {
    case Marker::circle:
      return svg.filled_path(circle(x, y, 3.6), style.color, false);
    case Marker::ring:
      return svg.polyline(circle(x, y, 3.4), stroke);
    case Marker::square:
      return svg.filled_path(
          closed({{x - 3.4, y - 3.4}, {x + 3.4, y - 3.4}, {x + 3.4, y + 3.4}, {x - 3.4, y + 3.4}}),
          style.color, false);
    case Marker::diamond:
      return svg.filled_path(closed({{x, y - 5}, {x + 5, y}, {x, y + 5}, {x - 5, y}}), style.color, false);
    case Marker::triangle:
      return svg.filled_path(closed({{x, y - 5}, {x + 4.6, y + 3.4}, {x - 4.6, y + 3.4}}), style.color,
                             false);
    case Marker::triangle_down:
      return svg.filled_path(closed({{x, y + 5}, {x + 4.6, y - 3.4}, {x - 4.6, y - 3.4}}), style.color,
                             false);
    case Marker::cross:
      svg.line(x - r, y - r, x + r, y + r, stroke);
      return svg.line(x - r, y + r, x + r, y - r, stroke);
    case Marker::plus:
      svg.line(x - r, y, x + r, y, stroke);
      return svg.line(x, y - r, x, y + r, stroke);
  }
}

AxisRange axis_range(const ChartAxis& axis, const std::vector<double>& values) {
  AxisRange range = range_of(values, axis.scale);
  if (axis.least) range.least = *axis.least;
  if (axis.greatest) range.greatest = *axis.greatest;
  const bool positive = axis.scale == Scale::linear || range.least > 0.0;
  const bool finite = std::isfinite(range.least) && std::isfinite(range.greatest);
  if (!finite || !positive || range.least >= range.greatest)
    throw Error(ErrorCode::argument, "", "chart axis " + axis.title,
                "found limits " + short_number(range.least) + " to " + short_number(range.greatest) +
                    ", expected finite ones in rising order, above 0 on a logarithmic axis");
  return range;
}

PlotArea draw_y_axis(SvgWriter& svg, const ChartAxis& axis, const AxisRange& range, const PlotArea& outer) {
  const std::vector<Tick> marks =
      ticks(range, std::max<std::size_t>(3, static_cast<std::size_t>(outer.height() / 40.0)));
  double label_width = 0.0;
  for (const Tick& tick : marks) label_width = std::max(label_width, text_width(tick.label, kLabelSize));
  PlotArea area = outer;
  area.left += label_width + 10.0 + (axis.title.empty() ? 0.0 : 20.0);
  for (const Tick& tick : marks) {
    const double y = y_of(range, area, tick.value);
    svg.line(area.left, y, area.right, y, kGrid);
    svg.text(area.left - 6.0, y + 4.0, tick.label, {.size = kLabelSize, .anchor = Anchor::end});
  }
  svg.line(area.left, area.top, area.left, area.bottom, kAxis);
  if (!axis.title.empty())
    svg.text(outer.left + 10.0, (area.top + area.bottom) / 2.0, axis.title,
             {.size = kLabelSize, .anchor = Anchor::middle, .rotation = -90.0});
  return area;
}

void draw_x_axis(SvgWriter& svg, const ChartAxis& axis, const AxisRange& range, const PlotArea& area) {
  const std::size_t most = std::max<std::size_t>(3, static_cast<std::size_t>(area.width() / 70.0));
  for (const Tick& tick : ticks(range, most)) {
    const double x = x_of(range, area, tick.value);
    svg.line(x, area.bottom, x, area.bottom + 5.0, kAxis);
    svg.text(x, area.bottom + 18.0, tick.label, {.size = kLabelSize, .anchor = Anchor::middle});
  }
  svg.line(area.left, area.bottom, area.right, area.bottom, kAxis);
  draw_x_title(svg, axis.title, area);
}

void draw_x_title(SvgWriter& svg, std::string_view title, const PlotArea& area) {
  if (title.empty()) return;
  svg.text((area.left + area.right) / 2.0, area.bottom + 37.0, title,
           {.size = kLabelSize, .anchor = Anchor::middle});
}

}  // namespace mla::lab
