#include "lab/report_figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "lab/chart.h"

namespace mla::lab {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

BarChart bar_chart(const char* description, const char* axis) {
  BarChart chart;
  chart.description = description;
  chart.y.title = axis;
  chart.height = 300.0;
  return chart;
}

/// One bar an encoding.
std::string bars(BarChart chart, const ReportData& data,
                 const std::function<std::optional<double>(const std::string&)>& figure) {
  chart.groups = data.encodings_in_rows();
  chart.series.resize(1);
  for (const auto& name : chart.groups) chart.series[0].values.push_back(figure(name).value_or(kNothing));
  return chart.groups.empty() ? "" : draw(chart);
}

std::string difference(const ReportData& data) {
  BarChart chart = bar_chart("Distance between the two words' context vectors, by encoding and mask",
                             "distance of the two vectors");
  chart.groups = data.encodings_in_rows();
  for (const char* mask : {"bidirectional", "causal"}) {
    BarSeries series{mask, {}};
    for (const auto& name : chart.groups)
      series.values.push_back(data.figure(name, mask, "l2").value_or(kNothing));
    if (std::ranges::any_of(series.values, [](double value) { return std::isfinite(value); }))
      chart.series.push_back(std::move(series));
  }
  return chart.series.empty() ? "" : draw(chart);
}

std::optional<double> relative_shift_error(const ReportData& data, const std::string& name) {
  const auto error = data.figure(name, "shift_error");
  const auto spread = data.figure(name, "score_std");
  return error && spread && *spread > 0.0 ? std::optional(*error / *spread) : std::nullopt;
}

/// Mean over the heads of a layer.
std::vector<double> mean_frequency_use(const Json& layer) {
  std::vector<std::vector<double>> heads;
  if (layer.contains("heads"))
    for (const Json& head : layer["heads"])
      if (head.contains("frequency_use")) heads.push_back(matrix_of(Json::array({head["frequency_use"]}))[0]);
  std::vector<double> means;
  for (const auto& head : heads) {
    means.resize(std::max(means.size(), head.size()));
    for (std::size_t i = 0; i < head.size(); ++i) means[i] += head[i] / static_cast<double>(heads.size());
  }
  return means;
}

std::string frequency_use(const ReportData& data) {
  const Json* row = data.row("rope-decoupled", "causal");
  if (row == nullptr) row = data.row("rope-decoupled");
  if (row == nullptr || !row->contains("layers")) return "";
  LineChart chart;
  chart.description = "Product of the mean lengths of query and key in each rotated pair, by layer";
  chart.x.title = "pair (fast to slow)";
  chart.y = {.title = "|q| · |k| of the pair", .least = 0.0};
  chart.height = 300.0;
  for (std::size_t layer = 0; layer < (*row)["layers"].size(); ++layer) {
    Series series{"layer " + std::to_string(layer), {}, mean_frequency_use((*row)["layers"][layer])};
    for (std::size_t i = 0; i < series.y.size(); ++i) series.x.push_back(static_cast<double>(i));
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  return chart.series.empty() ? "" : draw(chart);
}

}  // namespace

void add_comparison_figures(const ReportData& data, PageValues& values) {
  values["figure.difference"] = difference(data);
  values["figure.inflation"] =
      bars(bar_chart("Mean length of the embedding after encoding over before, by encoding", "|x + p| / |x|"),
           data, [&](const std::string& name) { return data.figure(name, "norm_inflation"); });
  values["figure.pollution"] =
      bars(bar_chart("Mean cosine of the encoded embedding to the word alone, by encoding", "cos(x + p, x)"),
           data, [&](const std::string& name) { return data.figure(name, "pollution_cosine"); });
  values["figure.shift"] =
      bars(bar_chart("Mean change of a score when the whole text moves, over the spread of the scores",
                     "change / spread of scores"),
           data, [&](const std::string& name) { return relative_shift_error(data, name); });
  values["figure.frequency-use"] = frequency_use(data);
}

void add_figures(const ReportData& data, PageValues& values) {
  add_comparison_figures(data, values);
  add_encoding_figures(data, values);
  add_trained_figures(data, values);
}

}  // namespace mla::lab
