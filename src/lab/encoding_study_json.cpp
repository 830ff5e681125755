#include "lab/encoding_study_json.h"

#include <array>
#include <charconv>
#include <cmath>

namespace mla::lab {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr float kExactIntegers = 16777216.0F;  ///< Up to 2^24 float32 holds every integer.

/// The shortest decimal number that is this float32.
std::string shortest(float value) {
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

/// Whole numbers without a decimal point, others as short as float32 says.
OrderedJson number(float value) {
  if (!std::isfinite(value)) return nullptr;
  if (std::abs(value) <= kExactIntegers && value == std::trunc(value)) return static_cast<long>(value);
  const std::string text = shortest(value);
  double result = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

OrderedJson rows_of(const Grid& values) {
  OrderedJson rows = OrderedJson::array();
  for (std::size_t row = 0; row < values.rows; ++row) {
    OrderedJson line = OrderedJson::array();
    for (const float value : values.row(row)) line.push_back(number(value));
    rows.push_back(std::move(line));
  }
  return rows;
}

/// One member of every element; nothing becomes null.
template <typename Element, typename Member>
OrderedJson each(const std::vector<Element>& elements, Member Element::*member) {
  OrderedJson list = OrderedJson::array();
  for (const Element& element : elements) {
    if constexpr (std::is_same_v<Member, std::optional<double>>)
      list.push_back(element.*member ? OrderedJson(*(element.*member)) : OrderedJson(nullptr));
    else if constexpr (std::is_same_v<Member, FrequencyBand>)
      list.push_back(name_of(element.*member));
    else
      list.push_back(element.*member);
  }
  return list;
}

}  // namespace

nlohmann::ordered_json as_json(const EncodingStudy& study) {
  OrderedJson json;
  json["name"] = study.name;
  json["positions"] = {study.first, study.last};
  json["values"] = rows_of(study.values);
  json["stage"] = stage_name(study.stage);
  json["formula"] = study.formula;
  json["source"] = study.source;
  json["description"] = study.describe;
  json["dims"] = study.dims();
  json["dot_by_distance"] = each(study.proximity, &DistanceSummary::mean);
  json["dot_by_distance_least"] = each(study.proximity, &DistanceSummary::least);
  json["dot_by_distance_greatest"] = each(study.proximity, &DistanceSummary::greatest);
  json["max_abs"] = study.max_abs;
  json["norms"] = study.norms;
  json["largest_jump"] = study.step_range().greatest;
  json["least_jump"] = study.step_range().least;
  json["periods"] = each(study.indices, &IndexStudy::period);
  json["changes_every"] = each(study.indices, &IndexStudy::changes_every);
  json["largest_steps"] = each(study.indices, &IndexStudy::largest_step);
  if (!study.pairs.empty()) {
    json["trained_context"] = study.trained_context;
    json["frequencies"] = each(study.pairs, &RotaryPair::frequency);
    json["wavelengths"] = each(study.pairs, &RotaryPair::wavelength);
    json["original_wavelengths"] = each(study.pairs, &RotaryPair::original_wavelength);
    json["bands"] = each(study.pairs, &RotaryPair::band);
    json["trained_turns"] = each(study.pairs, &RotaryPair::trained_turns);
  }
  json["translation_invariance"] = study.properties.translation_invariance;
  json["monotonicity"] = study.properties.monotonicity;
  json["falls_until"] = study.properties.falls_until;
  json["symmetry"] = study.properties.symmetry;
  return json;
}

std::string as_csv(const EncodingStudy& study) {
  std::string text = "position";
  const auto add = [&](char separator, const std::string& cell) {
    text += separator;
    text += cell;
  };
  for (std::size_t i = 0; i < study.dims(); ++i) add(',', std::to_string(i));
  for (std::size_t row = 0; row < study.positions(); ++row) {
    add('\n', std::to_string(study.first + row));
    for (const float value : study.values.row(row)) add(',', shortest(value));
  }
  return text + "\n";
}

}  // namespace mla::lab
