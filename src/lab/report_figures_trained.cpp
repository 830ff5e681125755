// Charts of the trained family.
#include <algorithm>
#include <limits>

#include "lab/chart.h"
#include "lab/report_figures.h"

namespace mla::lab {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double kTrainedLength = 128.0;

void add_point(Series& series, double x, const std::optional<Estimate>& estimate) {
  if (!estimate) return;
  series.x.push_back(x);
  series.y.push_back(estimate->value);
  if (estimate->half_width) series.half_widths.push_back(*estimate->half_width);
}

/// One line an encoding through the measurements `at`.
std::vector<Series> lines(const ReportData& data, std::string_view task, const std::vector<std::string>& at,
                          double factor) {
  std::vector<Series> result;
  for (const auto& name : data.trained_names()) {
    Series series{name, {}, {}};
    for (const auto& one : at) add_point(series, factor * std::stod(one), data.trained(name, task, one));
    if (series.half_widths.size() != series.x.size()) series.half_widths.clear();
    if (!series.x.empty()) result.push_back(std::move(series));
  }
  return result;
}

std::string perplexity(const ReportData& data) {
  LineChart chart{
      .title = "",
      .description = "Perplexity at one, two and four times the trained length, by encoding",
      .x = {.title = "tokens of context", .scale = Scale::logarithmic, .least = 100.0, .greatest = 600.0},
      .y = {.title = "perplexity", .scale = Scale::logarithmic},
      .series = lines(data, "perplexity", {"1", "2", "4"}, kTrainedLength),
      .references = {{.value = kTrainedLength, .label = "trained length"}}};
  return chart.series.empty() ? "" : draw(chart);
}

std::string perplexity_at(const ReportData& data) {
  LineChart chart{.title = "",
                  .description = "Perplexity of the tokens at each place of a text of 512, by encoding",
                  .x = {.title = "position", .least = 0.0},
                  .y = {.title = "perplexity", .scale = Scale::logarithmic},
                  .series = {},
                  .references = {{.value = kTrainedLength, .label = "trained length"}}};
  for (const auto& name : data.trained_names()) {
    const Json& one = *data.trained(name);
    Series series{name, {}, {}};
    for (const auto& bucket : matrix_of(one.contains("perplexity_at") ? one["perplexity_at"] : Json()))
      if (bucket.size() == 3) {
        series.x.push_back((bucket[0] + bucket[1]) / 2.0);
        series.y.push_back(bucket[2]);
      }
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  chart.height = 420.0;
  return chart.series.empty() ? "" : draw(chart);
}

std::string accuracy(const ReportData& data, const char* task, const char* description) {
  const auto names = data.trained_names();
  BarChart chart{
      .title = "", .description = description, .groups = names, .y = {.title = "share right"}, .series = {}};
  chart.y.least = 0.0;
  chart.y.greatest = 1.0;
  for (const auto& [at, label] : {std::pair("1", "trained length"), {"2", "twice"}, {"4", "four times"}}) {
    BarSeries series{label, {}, {}};
    for (const auto& name : names) {
      const auto estimate = data.trained(name, task, at);
      series.values.push_back(estimate ? estimate->value : kNothing);
      series.half_widths.push_back(estimate && estimate->half_width ? *estimate->half_width : kNothing);
    }
    if (!data.has_statistics()) series.half_widths.clear();
    chart.series.push_back(std::move(series));
  }
  chart.height = 300.0;
  return names.empty() ? "" : draw(chart);
}

std::string phase_shift(const ReportData& data) {
  LineChart chart{
      .title = "",
      .description = "Perplexity when the positions of a text begin at another number than 0, by encoding",
      .x = {.title = "number of the first position", .least = 0.0},
      .y = {.title = "perplexity", .scale = Scale::logarithmic},
      .series = lines(data, "phase_shift", {"0", "16", "32", "64", "128", "256"}, 1.0)};
  return chart.series.empty() ? "" : draw(chart);
}

}  // namespace

void add_trained_figures(const ReportData& data, PageValues& values) {
  values["figure.perplexity"] = perplexity(data);
  values["figure.perplexity-at"] = perplexity_at(data);
  values["figure.word-order"] =
      accuracy(data, "word_order", "Share of questions about who chased whom that are answered right");
  values["figure.copy"] =
      accuracy(data, "copy", "Share of a list's words that are said again in the right order");
  values["figure.phase-shift"] = phase_shift(data);
}

}  // namespace mla::lab
