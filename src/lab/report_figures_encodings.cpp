// Charts of the encodings by themselves.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "lab/chart.h"
#include "lab/encoding_shape.h"
#include "lab/report_figures.h"

namespace mla::lab {
namespace {

Series over_index(std::string name, const std::vector<double>& y) {
  Series series{std::move(name), {}, y};
  for (std::size_t i = 0; i < y.size(); ++i) series.x.push_back(static_cast<double>(i));
  return series;
}

/// Positions from left to right, values from the top down.
HeatMap map_of(const EncodingValues& values, std::size_t positions, std::size_t dims) {
  HeatMap map{.title = "",
              .description = "",
              .x_title = "position",
              .y_title = "index",
              .rows = 0,
              .cols = 0,
              .values = {}};
  map.rows = values.empty() ? 0 : std::min(dims, values[0].size());
  map.cols = std::min(positions, values.size());
  for (std::size_t i = 0; i < map.rows; ++i)
    for (std::size_t p = 0; p < map.cols; ++p) map.values.push_back(values[p][i]);
  return map;
}

std::string bits(const ReportData& data) {
  HeatMap map = map_of(data.values("binary"), 64, 8);
  if (map.values.empty()) return "";
  map.description =
      "Bits of the positions 0 to 63: the lowest changes at each position, each further one half as often";
  map.y_title = "bit";
  map.least = 0.0;
  map.greatest = 1.0;
  return draw(map);
}

std::string waves(const ReportData& data) {
  HeatMap map = map_of(data.values("sinusoidal"), 128, 64);
  if (map.values.empty()) return "";
  map.description = "Sinusoidal values of the positions 0 to 127: low indices change fast, high ones slowly";
  map.scale = ColorScale::diverging;
  map.least = -1.0;
  map.greatest = 1.0;
  return draw(map);
}

std::string step_lengths(const ReportData& data) {
  LineChart chart{
      .title = "",
      .description = "Length of the step from each position to the next, binary against sinusoidal",
      .x = {.title = "position"},
      .y = {.title = "length of the step", .least = 0.0},
      .series = {}};
  for (const char* name : {"binary", "sinusoidal"})
    if (auto lengths = steps(data.values(name)); !lengths.empty()) {
      lengths.resize(std::min<std::size_t>(lengths.size(), 64));
      chart.series.push_back(over_index(name, lengths));
    }
  chart.height = 300.0;
  return chart.series.empty() ? "" : draw(chart);
}

/// Each over its value at distance 0.
std::string dots(const ReportData& data) {
  LineChart chart{.title = "",
                  .description = "Dot product of two positions by their distance, over that at distance 0",
                  .x = {.title = "distance"},
                  .y = {.title = "dot product / that at 0"},
                  .series = {}};
  for (const char* name : {"integer", "binary", "sinusoidal", "learned"}) {
    auto products = data.numbers(name, "dot_by_distance");
    if (products.size() < 2 || products[0] == 0.0) continue;
    const double at_zero = products[0];
    for (double& product : products) product /= at_zero;
    products.resize(std::min<std::size_t>(products.size(), 96));
    chart.series.push_back(over_index(name, products));
  }
  return chart.series.empty() ? "" : draw(chart);
}

std::string learned(const ReportData& data) {
  constexpr std::size_t kStride = 4;
  const auto cosines = similarities(data.values("learned"), kStride);
  if (cosines.empty()) return "";
  HeatMap map{.title = "",
              .description = "Cosine between the learned vectors of every fourth position",
              .x_title = "position",
              .y_title = "position",
              .rows = cosines.size(),
              .cols = cosines.size(),
              .values = {}};
  for (std::size_t i = 0; i < cosines.size(); ++i) {
    map.values.insert(map.values.end(), cosines[i].begin(), cosines[i].end());
    map.row_labels.push_back(std::to_string(kStride * i));
  }
  map.col_labels = map.row_labels;
  map.scale = ColorScale::diverging;
  map.least = -1.0;
  map.greatest = 1.0;
  map.width = 480.0;
  return draw(map);
}

std::string slopes(const ReportData& data) {
  const EncodingValues values = data.values("alibi");
  if (values.empty()) return "";
  LineChart chart{.title = "",
                  .description = "What ALiBi adds to a score, by distance, one line a head",
                  .x = {.title = "distance"},
                  .y = {.title = "bias"},
                  .series = {}};
  for (std::size_t head = 0; head < std::min<std::size_t>(values[0].size(), 8); ++head) {
    std::vector<double> bias;
    for (std::size_t p = 0; p < std::min<std::size_t>(values.size(), 64); ++p)
      bias.push_back(values[p][head]);
    chart.series.push_back(over_index("head " + std::to_string(head), bias));
  }
  chart.height = 300.0;
  return draw(chart);
}

std::string wavelengths(const ReportData& data) {
  std::vector<double> lengths;
  for (const double frequency : data.frequencies())
    lengths.push_back(2.0 * std::numbers::pi / std::abs(frequency));
  if (lengths.empty()) return "";
  LineChart chart{
      .title = "",
      .description = "Positions that each rotated pair needs for a full turn, on a logarithmic axis",
      .x = {.title = "pair"},
      .y = {.title = "positions for a full turn", .scale = Scale::logarithmic},
      .series = {over_index("rope", lengths)},
      .references = {{.at = ReferenceLine::At::y, .value = 128.0, .label = "128 positions"}}};
  chart.height = 300.0;
  return draw(chart);
}

}  // namespace

void add_encoding_figures(const ReportData& data, PageValues& values) {
  values["figure.bits"] = bits(data);
  values["figure.waves"] = waves(data);
  values["figure.steps"] = step_lengths(data);
  values["figure.dots"] = dots(data);
  values["figure.learned"] = learned(data);
  values["figure.slopes"] = slopes(data);
  values["figure.wavelengths"] = wavelengths(data);
}

}  // namespace mla::lab
