// Charts: well-formed, escaped, the same every time, with gaps where there is nothing to show.
#include "lab/chart.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "lab/svg.h"
#include "mla/error.h"

using namespace mla;
using namespace mla::lab;

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

/// Whether every tag is closed in order and no text holds what would have to be escaped.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] != '<') {
      const std::size_t end = std::min(xml.find('<', at), xml.size());
      if (xml.substr(at, end - at).find('>') != std::string::npos) return false;
      at = end;
      continue;
    }
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.empty() || tag.find('<') != std::string::npos || count(tag, "\"") % 2 != 0) return false;
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (tag[0] == '?') continue;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
  }
  return open.empty();
}

LineChart chart_of(std::vector<double> y, Scale scale = Scale::linear) {
  LineChart chart;
  chart.title = "title";
  chart.y.scale = scale;
  Series series{.name = "rope", .x = {}, .y = std::move(y)};
  for (std::size_t i = 0; i < series.y.size(); ++i) series.x.push_back(static_cast<double>(i));
  chart.series = {series};
  return chart;
}

HeatMap map_of(std::size_t rows, std::size_t cols, std::vector<double> values) {
  HeatMap map;
  map.rows = rows;
  map.cols = cols;
  map.values = std::move(values);
  return map;
}

std::vector<std::string> labels(const AxisRange& range, std::size_t most) {
  std::vector<std::string> result;
  for (const Tick& tick : ticks(range, most)) result.push_back(tick.label);
  return result;
}

}  // namespace

TEST_CASE("chart: text is escaped wherever it stands", "[lab]") {
  const std::string hostile = "<script>\"&'</script>";
  LineChart lines = chart_of({1, 2, 3});
  lines.title = lines.description = lines.x.title = lines.y.title = hostile;
  lines.series.push_back(lines.series.front());
  lines.series.back().name = hostile;
  lines.references.push_back({ReferenceLine::At::x, 1.0, hostile});
  BarChart bars{
      .title = hostile, .description = hostile, .groups = {hostile}, .y = {.title = hostile}, .series = {}};
  bars.series = {{hostile, {1.0}}, {"none", {2.0}, {0.5}}};
  HeatMap map = map_of(1, 1, {1.0});
  map.title = map.description = map.x_title = map.y_title = map.value_title = hostile;
  map.row_labels = map.col_labels = {hostile};
  for (const std::string& svg : {draw(lines), draw(bars), draw(map)}) {
    CHECK(svg.find("<script") == std::string::npos);
    CHECK(svg.find("&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;") != std::string::npos);
    CHECK(well_formed(svg));
    CHECK(well_formed(stand_alone(svg)));
    CHECK(count(svg, "role=\"img\"") == 1);
    CHECK(svg.find("viewBox=\"0 0 ") != std::string::npos);
  }
}

TEST_CASE("chart: what XML cannot hold is replaced", "[lab]") {
  CHECK(escape_xml("a\x01"
                   "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(escape_xml("\xC3") == "\xEF\xBF\xBD");
  CHECK(escape_xml("\xED\xA0\x80").find('\xED') == std::string::npos);  // A surrogate.
  CHECK(escape_xml("gr\xC3\xBC\xC3\x9F \xF0\x9F\x99\x82") == "gr\xC3\xBC\xC3\x9F \xF0\x9F\x99\x82");
}

TEST_CASE("chart: coordinates are short and never NaN", "[lab]") {
  CHECK(coordinate(1.0) == "1");
  CHECK(coordinate(-0.001) == "0");
  CHECK(coordinate(2.345678) == "2.35");
  CHECK(coordinate(1234567.0) == "1234567");
  CHECK(coordinate(kNothing) == "0");
}

TEST_CASE("chart: linear ticks are multiples of 1, 2 or 5", "[lab]") {
  CHECK(labels({0.0, 1.0, Scale::linear}, 5) ==
        std::vector<std::string>{"0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(labels({0.0, 128.0, Scale::linear}, 4) == std::vector<std::string>{"0", "50", "100"});
  CHECK(labels({-0.03, 0.03, Scale::linear}, 4) == std::vector<std::string>{"-0.02", "0", "0.02"});
  CHECK(tick_step(7.0, 7) == 1.0);
  CHECK(tick_step(7.1, 7) == 2.0);
  CHECK(tick_step(0.035, 7) == Approx(0.005));
}

TEST_CASE("chart: logarithmic ticks are powers of ten, finer where there is room", "[lab]") {
  CHECK(labels({1.0, 1000.0, Scale::logarithmic}, 5) == std::vector<std::string>{"1", "10", "100", "1000"});
  CHECK(labels({4.0, 60.0, Scale::logarithmic}, 9) == std::vector<std::string>{"5", "10", "20", "50"});
  CHECK(labels({1.0, 1e12, Scale::logarithmic}, 4).size() == 5);
  const AxisRange range = range_of({3.0, 70.0, -1.0, 0.0, kNothing}, Scale::logarithmic);
  CHECK(range.least == Approx(2.0));
  CHECK(range.greatest == Approx(100.0));
  CHECK(range.share(std::sqrt(200.0)) == Approx(0.5));
}

TEST_CASE("chart: ranges hold the data, also one value or none", "[lab]") {
  for (const double value : {0.0, 5.0, -3.0, 1e-9, 1e9}) {
    const AxisRange range = range_of({value}, Scale::linear);
    CHECK(range.least < value);
    CHECK(range.greatest > value);
  }
  CHECK(range_of({}, Scale::linear).greatest == 1.0);
  CHECK(range_of({-1.0}, Scale::logarithmic).greatest == 10.0);
}

TEST_CASE("chart: numbers for labels", "[lab]") {
  CHECK(short_number(1234.5678, 5) == "1234.6");
  CHECK(short_number(0.5) == "0.5");
  CHECK(short_number(100.0) == "100");
  CHECK(short_number(2.5e-7) == "2.5e-7");
  CHECK(short_number(1e9) == "1e9");
  CHECK(short_number(kNothing) == "-");
}

TEST_CASE("chart: a gap starts a new line, and no NaN is written", "[lab]") {
  const std::string whole = draw(chart_of({1, 2, 3, 4}));
  const std::string gap = draw(chart_of({1, 2, kNothing, 4, 5}));
  const auto line_of = [](const std::string& svg) {
    const std::size_t start = svg.find(" d=\"M", svg.find("stroke-linejoin"));
    return svg.substr(start + 4, svg.find('"', start + 4) - start - 4);
  };
  CHECK(count(line_of(whole), "M") == 1);
  CHECK(count(line_of(gap), "M") == 2);
  CHECK(count(line_of(draw(chart_of({1, 0, 10, -5, 100}, Scale::logarithmic))), "M") == 3);
  for (const std::string& svg : {gap, draw(chart_of({})), draw(chart_of({kNothing}))}) {
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(well_formed(svg));
  }
}

TEST_CASE("chart: a missing bar is said to be missing, and error bars have three strokes", "[lab]") {
  BarChart bars{.title = "t", .description = "d", .groups = {"a", "b"}, .y = {.title = "y"}, .series = {}};
  bars.series = {{"rope", {1.0, kNothing}, {0.25, kNothing}}};
  const std::string svg = draw(bars);
  CHECK(count(svg, "<rect") == 1);
  CHECK(svg.find("n/a") != std::string::npos);
  CHECK(count(svg, "stroke-width=\"1.3\"") == 3);
  bars.series.front().values = {1.0};
  CHECK_THROWS_AS(draw(bars), Error);
}

TEST_CASE("chart: cells of one colour side by side are one box, and blanks are none", "[lab]") {
  const auto boxes = [](const HeatMap& map) {
    const std::string svg = draw(map);
    CHECK(well_formed(svg));
    return count(svg, "z\"") + count(svg, "zM") - 64;  // Without those of the colour bar.
  };
  CHECK(boxes(map_of(2, 3, {0, 0, 1, 1, 0, 0})) == 4);
  CHECK(boxes(map_of(2, 2, {kNothing, 1, 0, kNothing})) == 2);
  CHECK(boxes(map_of(1, 3, {kNothing, kNothing, kNothing})) == 0);
  CHECK(well_formed(draw(map_of(0, 0, {}))));
  CHECK_THROWS_AS(draw(map_of(2, 2, {1.0})), Error);
}

TEST_CASE("chart: a diverging scale has its middle at 0", "[lab]") {
  CHECK(hexadecimal(color_at(ColorScale::diverging, 0.5)) == "#f5f5f5");
  HeatMap map = map_of(1, 3, {-1.0, 0.0, 4.0});
  map.scale = ColorScale::diverging;
  const std::string svg = draw(map);
  const std::string deepest = "fill=\"" + hexadecimal(color_at(ColorScale::diverging, 0.0)) + "\"";
  CHECK(count(svg, deepest) == 1);  // In the colour bar alone: -1 is far from -4.
}

TEST_CASE("chart: every encoding has a style of its own", "[lab]") {
  std::set<std::string_view> colors;
  std::set<Marker> markers;
  for (const char* name :
       {"none", "integer", "binary", "sinusoidal", "learned", "rope", "rope-decoupled", "alibi"}) {
    const SeriesStyle style = series_style(name, 3);
    CHECK(style.color == series_style(name).color);
    CHECK(style.color.starts_with("var(--series-"));
    colors.insert(style.color);
    markers.insert(style.marker);
  }
  CHECK(colors.size() == 8);
  CHECK(markers.size() == 8);
  CHECK(series_style("mean", 0).color != series_style("mean", 1).color);
}

TEST_CASE("chart: limits that enclose nothing and parts that do not fit are refused", "[lab]") {
  LineChart chart = chart_of({1, 2});
  chart.y.least = 5.0;
  chart.y.greatest = 4.0;
  CHECK_THROWS_AS(draw(chart), Error);
  chart = chart_of({1, 2}, Scale::logarithmic);
  chart.y.least = 0.0;
  CHECK_THROWS_AS(draw(chart), Error);
  chart = chart_of({1, 2});
  chart.series.front().x.pop_back();
  CHECK_THROWS_AS(draw(chart), Error);
}

TEST_CASE("chart: a file of its own has its name space, light and dark", "[lab]") {
  const std::string svg = draw(chart_of({1, 2, 3}));
  CHECK(svg == draw(chart_of({1, 2, 3})));
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.find("<title>title</title>") != std::string::npos);
  const std::string file = stand_alone(svg);
  CHECK(file.starts_with("<?xml"));
  CHECK(count(file, "xmlns=\"http://www.w3.org/2000/svg\"") == 1);
  CHECK(file.find("prefers-color-scheme: dark") != std::string::npos);
}
