#include "lab/report_data.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mla::lab {
namespace {

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// The entry of a list of objects whose `key` is `value`.
const Json* entry(const Json* list, std::string_view key, std::string_view value) {
  if (list == nullptr || !list->is_array()) return nullptr;
  const auto found = std::ranges::find_if(*list, [&](const Json& one) { return text_at(one, key) == value; });
  return found == list->end() ? nullptr : &*found;
}

std::vector<std::string> names(const Json& list, std::string_view key) {
  std::vector<std::string> result;
  for (const Json& one : list)
    if (std::string name = text_at(one, key); std::ranges::find(result, name) == result.end())
      result.push_back(std::move(name));
  return result;
}

const Json& array_at(const Json& object, std::string_view key) {
  static const Json kNone = Json::array();
  const Json* found = find(object, key);
  return found != nullptr && found->is_array() ? *found : kNone;
}

}  // namespace

std::optional<double> number_at(const Json& object, std::string_view key) {
  const Json* found = find(object, key);
  return found != nullptr && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

bool flag_at(const Json& object, std::string_view key) {
  const Json* found = find(object, key);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

std::string text_at(const Json& object, std::string_view key) {
  const Json* found = find(object, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

std::string row_label(const Json& row) {
  std::string label = text_at(row, "encoding");
  if (const std::string norm = text_at(row, "norm"); !norm.empty())
    label += norm == "none" ? ", no norm" : ", " + norm + " norm";
  return label;
}

std::vector<std::vector<double>> matrix_of(const Json& value) {
  std::vector<std::vector<double>> result;
  if (!value.is_array()) return result;
  for (const Json& row : value) {
    auto& numbers = result.emplace_back();
    for (const Json& one : row)
      numbers.push_back(one.is_number() ? one.get<double>() : std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

std::string ReportData::text(std::string_view key) const {
  return text_at(comparison_, key);
}

std::vector<std::string> ReportData::tokens() const {
  std::vector<std::string> result;
  for (const Json& token : array_at(comparison_, "tokens"))
    result.push_back(token.is_string() ? token.get<std::string>() : "");
  return result;
}

std::vector<std::size_t> ReportData::positions() const {
  std::vector<std::size_t> result;
  for (const Json& position : array_at(comparison_, "positions"))
    if (position.is_number_unsigned() || position.is_number_integer())
      result.push_back(position.get<std::size_t>());
  return result;
}

bool ReportData::same_token() const {
  return flag_at(comparison_, "same_token");
}

const Json& ReportData::rows() const {
  return array_at(comparison_, "rows");
}

const Json* ReportData::row(std::string_view encoding, std::string_view mask) const {
  const auto found = std::ranges::find_if(rows(), [&](const Json& row) {
    return text_at(row, "encoding") == encoding && text_at(row, "mask") == mask;
  });
  return found == rows().end() ? nullptr : &*found;
}

const Json* ReportData::row(std::string_view encoding) const {
  const Json* both_ways = row(encoding, "bidirectional");
  return both_ways != nullptr ? both_ways : row(encoding, "causal");
}

std::optional<double> ReportData::figure(std::string_view encoding, std::string_view key) const {
  const Json* found = row(encoding);
  return found == nullptr ? std::nullopt : number_at(*found, key);
}

std::optional<double> ReportData::figure(std::string_view encoding, std::string_view mask,
                                         std::string_view key) const {
  const Json* found = row(encoding, mask);
  return found == nullptr ? std::nullopt : number_at(*found, key);
}

std::vector<std::string> ReportData::additive() const {
  std::vector<std::string> result = encodings_in_rows();
  std::erase_if(result, [&](const auto& name) { return text_at(*row(name), "stage") != "embedding"; });
  return result;
}

std::vector<std::string> ReportData::encodings_in_rows() const {
  auto result = names(rows(), "encoding");
  std::erase_if(result, [&](const auto& name) { return row(name) == nullptr; });
  return result;
}

const Json* ReportData::encoding(std::string_view name) const {
  return entry(&encodings_, "name", name);
}

EncodingValues ReportData::values(std::string_view name) const {
  const Json* document = encoding(name);
  if (document == nullptr) return {};
  EncodingValues result = matrix_of(array_at(*document, "values"));
  const auto undefined = [](const auto& row) {
    return row.empty() || std::ranges::any_of(row, [](double value) { return !std::isfinite(value); });
  };
  result.erase(std::ranges::find_if(result, undefined), result.end());
  return result;
}

std::vector<double> ReportData::numbers(std::string_view name, std::string_view key) const {
  const Json* document = encoding(name);
  if (document == nullptr) return {};
  std::vector<double> result;
  for (const Json& one : array_at(*document, key)) {
    if (!one.is_number()) return {};
    result.push_back(one.get<double>());
  }
  return result;
}

std::vector<double> ReportData::frequencies() const {
  std::vector<double> decoupled = numbers("rope-decoupled", "frequencies");
  return decoupled.empty() ? numbers("rope", "frequencies") : decoupled;
}

std::vector<std::string> ReportData::trained_names() const {
  return names(array_at(comparison_, "trained"), "encoding");
}

const Json* ReportData::trained(std::string_view encoding) const {
  return entry(find(comparison_, "trained"), "encoding", encoding);
}

bool ReportData::has_statistics() const {
  return find(comparison_, "statistics") != nullptr;
}

std::optional<Estimate> ReportData::trained(std::string_view encoding, std::string_view task,
                                            std::string_view at) const {
  if (const Json* statistics = find(comparison_, "statistics"); statistics != nullptr) {
    const Json* one = entry(find(*statistics, "rows"), "encoding", encoding);
    const Json* values = one == nullptr ? nullptr : find(*one, task);
    const Json* value = values == nullptr ? nullptr : find(*values, at);
    if (const auto mean = value == nullptr ? std::nullopt : number_at(*value, "mean"))
      return Estimate{*mean, number_at(*value, "half_width")};
  }
  const Json* one = trained(encoding);
  const Json* values = one == nullptr ? nullptr : find(*one, task);
  const auto value = values == nullptr ? std::nullopt : number_at(*values, at);
  return value ? std::optional(Estimate{*value, std::nullopt}) : std::nullopt;
}

}  // namespace mla::lab
