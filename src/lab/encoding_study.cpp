#include "lab/encoding_study.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "lab/measures.h"
#include "mla/error.h"

namespace mla::lab {
namespace {

constexpr double kSameFrequency = 1e-5;  ///< Relative; the frequencies are float32.

void check(const EncodingEntry& entry, const StudyRequest& request) {
  const std::string name(entry.name);
  if (request.first > request.last)
    throw Error(ErrorCode::argument, "", "positions",
                "found " + std::to_string(request.first) + ".." + std::to_string(request.last) +
                    ", expected the first not to lie behind the last");
  const std::size_t positions = request.last - request.first + 1;
  if (request.dims == 0 || positions == 0 || positions > kMostStudyValues / request.dims)
    throw Error(ErrorCode::argument, "", "positions",
                "found " + std::to_string(request.first) + ".." + std::to_string(request.last) + " with " +
                    std::to_string(request.dims) + " dims, expected at least 1 and at most " +
                    std::to_string(kMostStudyValues) + " values in all");
  const std::optional<PositionTable>& table = request.settings.table;
  if (name == "learned" && table && request.dims > table->dims)
    throw Error(ErrorCode::limit, request.settings.source, "dims",
                "found " + std::to_string(request.dims) + ", expected at most " +
                    std::to_string(table->dims) + ", the width of the learned table");
}

/// Of a rotary encoding, where the scaling does not go with every size.
void check_scaling(const StudyRequest& request) {
  const RopeScaling& rope = request.settings.rope;
  if (rope.type == RopeType::dynamic && request.dims < 4)
    throw Error(ErrorCode::argument, request.settings.source, "dims",
                "found " + std::to_string(request.dims) + ", expected at least 4 for dynamic scaling");
  const std::size_t pairs = rope.short_factor.size();
  if (rope.type == RopeType::longrope && (request.dims != 2 * pairs || rope.long_factor.size() != pairs))
    throw Error(ErrorCode::argument, request.settings.source, "dims",
                "found " + std::to_string(request.dims) + ", expected " + std::to_string(2 * pairs) +
                    ", for which there are longrope factors");
}

EncodingSettings settings_for(const StudyRequest& request) {
  EncodingSettings settings = request.settings;
  settings.hidden_size = request.dims;
  settings.num_heads = request.dims;
  settings.rotary_dim = request.dims;
  settings.decoupled = true;
  return settings;
}

/// One row a position. A rotation is that of one sequence that ends with the last position: `dynamic` and `longrope`
/// depend on its length.
Grid values_of(const PositionalEncoding& encoding, const StudyRequest& request) {
  const std::size_t count = request.last - request.first + 1;
  Grid values(count, request.dims);
  if (encoding.stage() == EncodingStage::rotation) {
    PositionBatch batch{.first = request.first, .count = count, .sequence_length = request.last + 1};
    encoding.prepare(batch);
    const std::size_t pairs = request.dims / 2;
    for (std::size_t row = 0; row < count; ++row)
      for (std::size_t i = 0; i < pairs; ++i) {
        values.at(row, 2 * i) = batch.cosines[row * pairs + i];
        values.at(row, 2 * i + 1) = batch.sines[row * pairs + i];
      }
    return values;
  }
  for (std::size_t row = 0; row < count; ++row) {
    const std::vector<float> vector = encoding.values(request.first + row, request.dims);
    std::copy(vector.begin(), vector.end(),
              values.values.begin() + static_cast<std::ptrdiff_t>(row * request.dims));
  }
  return values;
}

std::optional<double> period_of(const EncodingStudy& study, std::size_t index) {
  constexpr std::size_t kMostBits = 52;
  if (study.name == "binary" && index < kMostBits) return std::exp2(static_cast<double>(index + 1));
  if (study.name == "sinusoidal")
    return 2.0 * std::numbers::pi *
           std::pow(10000.0, static_cast<double>(index / 2 * 2) / static_cast<double>(study.dims()));
  if (!study.pairs.empty()) return study.pairs[index / 2].wavelength;
  return std::nullopt;
}

std::optional<double> measured_interval(const Grid& values, std::size_t index) {
  double least = static_cast<double>(values.at(0, index));
  double greatest = least;
  for (std::size_t row = 1; row < values.rows; ++row) {
    least = std::min(least, static_cast<double>(values.at(row, index)));
    greatest = std::max(greatest, static_cast<double>(values.at(row, index)));
  }
  const double middle = least < 0.0 && greatest > 0.0 ? 0.0 : (least + greatest) / 2.0;
  double first = 0.0;
  double last = 0.0;
  std::size_t crossings = 0;
  for (std::size_t row = 1; row < values.rows; ++row) {
    const double before = static_cast<double>(values.at(row - 1, index)) - middle;
    const double after = static_cast<double>(values.at(row, index)) - middle;
    if ((before < 0.0) == (after < 0.0)) continue;
    last = static_cast<double>(row - 1) + before / (before - after);
    if (crossings++ == 0) first = last;
  }
  if (crossings < 2) return std::nullopt;
  return (last - first) / static_cast<double>(crossings - 1);
}

IndexStudy study_index(const EncodingStudy& study, std::size_t index) {
  IndexStudy result{.period = period_of(study, index),
                    .changes_every = measured_interval(study.values, index)};
  for (std::size_t row = 1; row < study.values.rows; ++row) {
    const double step = static_cast<double>(study.values.at(row, index)) -
                        static_cast<double>(study.values.at(row - 1, index));
    result.largest_step = std::max(result.largest_step, std::abs(step));
  }
  return result;
}

double mean_bias(const PositionalEncoding& alibi, std::size_t position, std::size_t heads) {
  double sum = 0.0;
  for (const float bias : alibi.values(position, heads)) sum += static_cast<double>(bias);
  return sum / static_cast<double>(heads);
}

Proximity proximity_of(const EncodingStudy& study, const PositionalEncoding& encoding) {
  Proximity phi{.count = study.proximity_positions, .values = {}};
  phi.values.reserve(phi.count * phi.count);
  if (study.stage == EncodingStage::scores) {
    std::vector<double> bias;
    for (std::size_t d = 0; d < phi.count; ++d) bias.push_back(mean_bias(encoding, d, study.dims()));
    for (std::size_t m = 0; m < phi.count; ++m)
      for (std::size_t n = 0; n < phi.count; ++n) phi.values.push_back(bias[m > n ? m - n : n - m]);
    return phi;
  }
  const double scale = study.stage == EncodingStage::rotation ? 2.0 / static_cast<double>(study.dims()) : 1.0;
  for (std::size_t m = 0; m < phi.count; ++m)
    for (std::size_t n = 0; n < phi.count; ++n)
      phi.values.push_back(scale * dot(study.values.row(m), study.values.row(n)));
  return phi;
}

Range range_of_all(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return {*least, *greatest};
}

FrequencyBand band_of(const RopeScaling& scaling, double ratio) {
  const auto is = [&](double expected) { return std::abs(ratio - expected) <= kSameFrequency * expected; };
  if (is(1.0)) return FrequencyBand::kept;
  if (scaling.type == RopeType::dynamic || scaling.type == RopeType::longrope) return FrequencyBand::rescaled;
  return is(scaling.factor) ? FrequencyBand::interpolated : FrequencyBand::blended;
}

}  // namespace

Range EncodingStudy::norm_range() const {
  return range_of_all(norms);
}

Range EncodingStudy::step_range() const {
  return range_of_all(steps);
}

EncodingStudy study_encoding(const EncodingEntry& entry, const StudyRequest& request) {
  check(entry, request);
  if (entry.name.starts_with("rope")) check_scaling(request);
  const std::unique_ptr<PositionalEncoding> encoding = entry.make(settings_for(request));
  EncodingStudy study;
  study.name = entry.name;
  study.formula = entry.formula;
  study.source = entry.source;
  study.describe = encoding->describe();
  study.stage = encoding->stage();
  study.first = request.first;
  study.last = request.last;
  study.trained_context = request.trained_context;
  study.values = values_of(*encoding, request);
  if (study.stage == EncodingStage::rotation)
    study.pairs =
        rotary_pairs(request.settings.rope, request.dims, request.last + 1, request.trained_context);

  for (const float value : study.values.values)
    study.max_abs = std::max(study.max_abs, std::abs(static_cast<double>(value)));
  for (std::size_t row = 0; row < study.values.rows; ++row) {
    study.norms.push_back(norm(study.values.row(row)));
    if (row > 0) study.steps.push_back(l2_distance(study.values.row(row), study.values.row(row - 1)));
  }
  for (std::size_t index = 0; index < study.dims(); ++index)
    study.indices.push_back(study_index(study, index));

  study.proximity_positions = std::min(study.positions(), kMostProximityPositions);
  const Proximity phi = proximity_of(study, *encoding);
  study.proximity = by_distance(phi);
  study.properties = properties_of(phi);
  return study;
}

std::vector<RotaryPair> rotary_pairs(const RopeScaling& scaling, std::size_t dims, std::size_t length,
                                     std::size_t trained_context) {
  const std::vector<float> used = rope_inverse_frequencies(scaling, dims, length);
  RopeScaling unscaled;
  unscaled.theta = scaling.theta;
  const std::vector<float> plain = rope_inverse_frequencies(unscaled, dims, length);
  std::vector<RotaryPair> pairs;
  for (std::size_t i = 0; i < used.size(); ++i) {
    RotaryPair pair;
    pair.frequency = static_cast<double>(used[i]);
    pair.wavelength = 2.0 * std::numbers::pi / pair.frequency;
    pair.original_wavelength = 2.0 * std::numbers::pi / static_cast<double>(plain[i]);
    pair.band = band_of(scaling, static_cast<double>(plain[i]) / pair.frequency);
    pair.trained_turns = static_cast<double>(trained_context) / pair.original_wavelength;
    pairs.push_back(pair);
  }
  return pairs;
}

std::string_view name_of(FrequencyBand band) {
  switch (band) {
    case FrequencyBand::kept:
      return "kept";
    case FrequencyBand::blended:
      return "blended";
    case FrequencyBand::interpolated:
      return "interpolated";
    case FrequencyBand::rescaled:
      break;
  }
  return "rescaled";
}

std::string_view stage_name(EncodingStage stage) {
  switch (stage) {
    case EncodingStage::embedding:
      return "embedding";
    case EncodingStage::rotation:
      return "rotation";
    case EncodingStage::scores:
      return "scores";
    case EncodingStage::nowhere:
      break;
  }
  return "nowhere";
}

}  // namespace mla::lab
