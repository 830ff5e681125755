#include "lab/encoding_study_text.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "lab/axis.h"
#include "lab/table.h"

namespace mla::lab {
namespace {

constexpr std::size_t kMostColumns = 88;  ///< Of the heat map: with labels less than 100.
constexpr std::size_t kMostRows = 64;
constexpr std::size_t kMostTableRows = 16;

std::string_view where(EncodingStage stage) {
  switch (stage) {
    case EncodingStage::embedding:
      return "adds a vector to each embedding";
    case EncodingStage::rotation:
      return "rotates queries and keys";
    case EncodingStage::scores:
      return "adds a bias to the scores";
    case EncodingStage::nowhere:
      break;
  }
  return "does nothing";
}

/// Every how many of `count` there is room for, so that at most `most` remain.
std::size_t stride_for(std::size_t count, std::size_t most) {
  return (count + most - 1) / most;
}

std::string or_dash(const std::optional<double>& value) {
  return value ? short_number(*value, 5) : "-";
}

/// What was left out, as a line of its own: "  (1 of 12 positions shown)". Nothing if nothing was.
std::string sampling_note(std::initializer_list<std::pair<std::size_t, std::string_view>> strides) {
  std::string note;
  for (const auto& [stride, what] : strides) {
    if (stride == 1) continue;
    note += note.empty() ? "  (" : ", ";
    note += "1 of " + std::to_string(stride) + " " + std::string(what);
  }
  return note.empty() ? "" : note + " shown)\n";
}

std::string heat_map(const EncodingStudy& study, TerminalColor color) {
  const bool distances = study.stage == EncodingStage::scores;
  const std::size_t col_stride = stride_for(study.positions(), kMostColumns);
  const std::size_t row_stride = stride_for(study.dims(), kMostRows);
  TerminalHeatMap map;
  for (std::size_t position = 0; position < study.positions(); position += col_stride)
    map.col_numbers.push_back(study.first + position);
  map.cols = map.col_numbers.size();
  bool negative = false;
  for (std::size_t index = 0; index < study.dims(); index += row_stride) {
    map.row_labels.push_back(std::to_string(index));
    for (std::size_t col = 0; col < map.cols; ++col) {
      map.values.push_back(static_cast<double>(study.values.at(col * col_stride, index)));
      negative = negative || map.values.back() < 0.0;
    }
  }
  map.rows = map.row_labels.size();
  const auto [least, greatest] = std::minmax_element(map.values.begin(), map.values.end());
  map.least = std::min(*least, 0.0);
  map.greatest = std::max(*greatest, 0.0);
  if (negative && map.greatest > 0.0) {
    map.scale = ColorScale::diverging;
    map.greatest = std::max(map.greatest, -map.least);
    map.least = -map.greatest;
  }
  if (map.least == map.greatest) map.greatest = map.least + 1.0;

  const std::string_view across = distances ? "distances" : "positions";
  const std::string_view down = distances ? "heads" : "indices";
  std::string text = "Values: " + std::string(across) + " " + std::to_string(study.first) + " to " +
                     std::to_string(study.last) + " across, " + std::string(down) + " 0 to " +
                     std::to_string(study.dims() - 1) + " down\n";
  text += sampling_note({{col_stride, across}, {row_stride, down}});
  return text + draw_terminal(map, map.cols * 2 <= kMostColumns ? 2 : 1, color);
}

std::string numbers(const EncodingStudy& study) {
  const auto range = [](const Range& values) {
    return short_number(values.least, 5) + " to " + short_number(values.greatest, 5);
  };
  const ProximityProperties& properties = study.properties;
  Table table({{"", Align::left}, {"", Align::left}, {"", Align::left}});
  table.add({"largest |value|", short_number(study.max_abs, 5), ""});
  table.add({"norm of a position's vector", range(study.norm_range()), ""});
  table.add({"norm of the step to the next", study.steps.empty() ? "-" : range(study.step_range()), ""});
  table.add({"translation invariance", short_number(properties.translation_invariance, 4),
             "1: phi(m, n) depends on n - m alone"});
  table.add({"monotonicity", short_number(properties.monotonicity, 4), "1: phi falls with every step away"});
  table.add({"every step falls until distance", std::to_string(properties.falls_until), ""});
  table.add({"symmetry", short_number(properties.symmetry, 4), "1: phi(m, n) = phi(n, m)"});
  std::string text = "Numbers (properties after Wang et al. 2021";
  if (study.proximity_positions < study.positions())
    text += ", of the first " + std::to_string(study.proximity_positions) + " positions";
  return text + ")\n" + table.text();
}

std::string slope_table(const EncodingStudy& study) {
  const std::size_t stride = stride_for(study.dims(), kMostTableRows);
  Table table({{"head", Align::right}, {"bias for each position of distance", Align::right}});
  for (std::size_t head = 0; head < study.dims(); head += stride)
    table.add({std::to_string(head), short_number(-study.indices[head].largest_step, 4)});
  return "Slopes\n" + sampling_note({{stride, "heads"}}) + table.text();
}

std::string index_table(const EncodingStudy& study) {
  const auto like_the_first = [&](const IndexStudy& index) {
    const IndexStudy& first = study.indices.front();
    return index.period == first.period && index.changes_every == first.changes_every &&
           index.largest_step == first.largest_step;
  };
  const bool all_alike = std::all_of(study.indices.begin(), study.indices.end(), like_the_first);
  const std::size_t stride = all_alike ? study.dims() : stride_for(study.dims(), kMostTableRows);
  Table table({{"index", Align::right},
               {"changes every", Align::right},
               {"period", Align::right},
               {"largest step", Align::right}});
  for (std::size_t i = 0; i < study.dims(); i += stride) {
    const IndexStudy& index = study.indices[i];
    table.add({all_alike ? "all" : std::to_string(i), or_dash(index.changes_every), or_dash(index.period),
               short_number(index.largest_step, 4)});
  }
  return "Indices, in positions (changes: crossings of the middle, measured; period: by the formula)\n" +
         sampling_note({{all_alike ? 1 : stride, "indices"}}) + table.text();
}

std::string pair_table(const EncodingStudy& study) {
  const std::size_t stride = stride_for(study.pairs.size(), 2 * kMostTableRows);
  Table table({{"pair", Align::right},
               {"radians", Align::right},
               {"changes every", Align::right},
               {"wavelength", Align::right},
               {"unscaled", Align::right},
               {"band", Align::left},
               {"trained turns", Align::right},
               {"", Align::left}});
  std::size_t unfinished = 0;
  for (std::size_t i = 0; i < study.pairs.size(); ++i) {
    const RotaryPair& pair = study.pairs[i];
    const bool whole = pair.trained_turns >= 1.0;
    unfinished += whole ? 0 : 1;
    if (i % stride != 0) continue;
    table.add({std::to_string(i), short_number(pair.frequency, 5),
               or_dash(study.indices[2 * i].changes_every), short_number(pair.wavelength, 5),
               short_number(pair.original_wavelength, 5), std::string(name_of(pair.band)),
               short_number(pair.trained_turns, 3), whole ? "" : "never whole"});
  }
  return "Pairs, in tokens (changes: sign of the cosine, measured; trained context " +
         std::to_string(study.trained_context) + ")\n" + sampling_note({{stride, "pairs"}}) + table.text() +
         std::to_string(unfinished) + " of " + std::to_string(study.pairs.size()) +
         " pairs never complete a turn within the trained context" +
         (unfinished == 0 ? "" : ": beyond it\nthe model meets angles it has not seen") + ".\n";
}

std::string distance_table(const EncodingStudy& study) {
  const bool bias = study.stage == EncodingStage::scores;
  Table table({{"distance", Align::right},
               {"mean phi", Align::right},
               {"least", Align::right},
               {"greatest", Align::right}});
  for (std::size_t distance = 0; distance < study.proximity.size();
       distance = distance == 0 ? 1 : 2 * distance) {
    const DistanceSummary& at = study.proximity[distance];
    table.add({std::to_string(distance), short_number(at.mean, 5), short_number(at.least, 5),
               short_number(at.greatest, 5)});
  }
  const std::string what = bias                                     ? "mean bias of the heads"
                           : study.stage == EncodingStage::rotation ? "score of an equal unit query and key"
                                                                    : "dot product of two positions";
  return "phi, the " + what + ", over all pairs at a distance\n" + table.text();
}

}  // namespace

std::string list_encodings() {
  Table table(
      {{"name", Align::left}, {"stage", Align::left}, {"formula", Align::left}, {"source", Align::left}});
  for (const EncodingEntry* entry : encodings()) {
    // The entries' factories need a model; the stage is asked of one that is made up.
    EncodingSettings settings;
    settings.num_heads = 2;
    settings.rotary_dim = 2;
    settings.decoupled = true;
    settings.table = PositionTable{.values = {0.0F}, .dims = 1};
    table.add({std::string(entry->name), std::string(stage_name(entry->make(settings)->stage())),
               std::string(entry->formula), std::string(entry->source)});
  }
  return table.text();
}

std::string as_text(const EncodingStudy& study, TerminalColor color) {
  std::string text = study.name + ": " + std::string(where(study.stage)) + "\n  formula  " + study.formula +
                     "\n  source   " + study.source + "\n  here     " + study.describe + "\n\n";
  text += heat_map(study, color) + "\n" + numbers(study) + "\n";
  switch (study.stage) {
    case EncodingStage::embedding:
      text += index_table(study) + "\n";
      break;
    case EncodingStage::rotation:
      text += pair_table(study) + "\n";
      break;
    case EncodingStage::scores:
      text += slope_table(study) + "\n";
      break;
    case EncodingStage::nowhere:
      break;
  }
  return text + distance_table(study);
}

}  // namespace mla::lab
