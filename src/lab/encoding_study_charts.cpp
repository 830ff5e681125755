#include "lab/encoding_study_charts.h"

#include <algorithm>
#include <cmath>

#include "lab/chart.h"

namespace mla::lab {
namespace {

// More cells than a picture has pixels tell nothing and make large files.
constexpr std::size_t kMostColumns = 256;
constexpr std::size_t kMostRows = 128;

bool is_bias(const EncodingStudy& study) {
  return study.stage == EncodingStage::scores;
}

HeatMap values_map(const EncodingStudy& study) {
  HeatMap map;
  map.title = study.name + ": " + study.formula;
  map.description = "Values of the encoding " + study.name + " at " +
                    (is_bias(study) ? "distances " : "positions ") + std::to_string(study.first) + " to " +
                    std::to_string(study.last) + ".";
  map.x_title = is_bias(study) ? "distance" : "position";
  map.y_title = is_bias(study) ? "head" : "index";
  map.value_title = is_bias(study) ? "bias" : "value";
  map.first_col = study.first;
  map.col_stride = (study.positions() + kMostColumns - 1) / kMostColumns;
  map.row_stride = (study.dims() + kMostRows - 1) / kMostRows;
  bool negative = false;
  bool positive = false;
  for (std::size_t index = 0; index < study.dims(); index += map.row_stride) {
    ++map.rows;
    for (std::size_t position = 0; position < study.positions(); position += map.col_stride) {
      map.values.push_back(static_cast<double>(study.values.at(position, index)));
      negative = negative || map.values.back() < 0.0;
      positive = positive || map.values.back() > 0.0;
    }
  }
  map.cols = map.values.size() / map.rows;
  if (negative && positive) map.scale = ColorScale::diverging;
  return map;
}

bool depends_on_distance_alone(const EncodingStudy& study) {
  double size = 0.0;
  double spread = 0.0;
  for (const DistanceSummary& at : study.proximity) {
    size = std::max({size, std::abs(at.least), std::abs(at.greatest)});
    spread = std::max(spread, at.greatest - at.least);
  }
  return spread <= 1e-5 * size;  // Rounding.
}

LineChart proximity_chart(const EncodingStudy& study) {
  const std::string phi = is_bias(study)                           ? "bias"
                          : study.stage == EncodingStage::rotation ? "score of equal unit query and key"
                                                                   : "dot product";
  LineChart chart;
  chart.title = study.name + ": " + phi + " against distance";
  chart.description =
      "The " + phi + " of two positions, over all pairs at a distance: mean, least and greatest.";
  chart.x.title = "distance (positions)";
  chart.y.title = phi;
  Series mean{.name = "mean", .x = {}, .y = {}};
  Series least{.name = "least", .x = {}, .y = {}};
  Series greatest{.name = "greatest", .x = {}, .y = {}};
  for (std::size_t distance = 0; distance < study.proximity.size(); ++distance) {
    const DistanceSummary& at = study.proximity[distance];
    for (Series* series : {&mean, &least, &greatest}) series->x.push_back(static_cast<double>(distance));
    mean.y.push_back(at.mean);
    least.y.push_back(at.least);
    greatest.y.push_back(at.greatest);
  }
  // One line where the distance says it all.
  mean.name = study.name;
  chart.series = {mean};
  if (depends_on_distance_alone(study)) return chart;
  chart.series.front().name = "mean";
  chart.series.insert(chart.series.end(), {greatest, least});
  return chart;
}

LineChart norm_chart(const EncodingStudy& study) {
  LineChart chart;
  chart.title = study.name + ": norm of each vector and of the step to the next";
  chart.description =
      "The norm of the vector of each position, and of the difference to the next position's.";
  chart.x.title = is_bias(study) ? "distance" : "position";
  chart.y.title = "norm";
  chart.y.least = 0.0;
  Series norm{.name = "vector", .x = {}, .y = study.norms};
  Series step{.name = "step to the next", .x = {}, .y = study.steps};
  for (std::size_t row = 0; row < study.positions(); ++row)
    norm.x.push_back(static_cast<double>(study.first + row));
  step.x.assign(norm.x.begin(), norm.x.end() - 1);
  chart.series = {norm, step};
  return chart;
}

LineChart wavelength_chart(const EncodingStudy& study) {
  LineChart chart;
  chart.title = study.name + ": wavelength of each pair";
  chart.description = "Tokens that a whole turn of each rotated pair takes, against the trained context.";
  chart.x.title = "pair";
  chart.y.title = "wavelength (tokens)";
  chart.y.scale = Scale::logarithmic;
  Series used{.name = "in use", .x = {}, .y = {}};
  Series original{.name = "unscaled", .x = {}, .y = {}};
  for (std::size_t i = 0; i < study.pairs.size(); ++i) {
    for (Series* series : {&used, &original}) series->x.push_back(static_cast<double>(i));
    used.y.push_back(study.pairs[i].wavelength);
    original.y.push_back(study.pairs[i].original_wavelength);
  }
  const bool rescaled = std::any_of(study.pairs.begin(), study.pairs.end(),
                                    [](const RotaryPair& pair) { return pair.band != FrequencyBand::kept; });
  chart.series = {used};
  if (rescaled) chart.series.push_back(original);
  chart.references.push_back(
      {ReferenceLine::At::y, static_cast<double>(study.trained_context), "trained context"});
  return chart;
}

}  // namespace

std::vector<Picture> pictures_of(const EncodingStudy& study) {
  std::vector<Picture> pictures;
  pictures.push_back({study.name + "-values", draw(values_map(study))});
  pictures.push_back({study.name + "-distance", draw(proximity_chart(study))});
  pictures.push_back({study.name + "-norms", draw(norm_chart(study))});
  if (!study.pairs.empty()) pictures.push_back({study.name + "-wavelengths", draw(wavelength_chart(study))});
  return pictures;
}

}  // namespace mla::lab
