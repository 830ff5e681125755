// Maps of single heads. lab/page/maps.js fills the same tables when the reader chooses another head.
#include <algorithm>
#include <cmath>

#include "lab/report_numbers.h"
#include "lab/report_tables.h"
#include "lab/svg.h"

namespace mla::lab {
namespace {

constexpr std::size_t kLongestLabel = 14;  // Code points.

bool has_maps(const Json& row) {
  return row.contains("layers") && row["layers"].is_array() && !row["layers"].empty() &&
         row["layers"][0].contains("heads") && !row["layers"][0]["heads"].empty() &&
         row["layers"][0]["heads"][0].contains("attention");
}

const Json* head_of(const ReportData& data, const MapChoice& choice) {
  const Json* row = data.row(choice.encoding, choice.mask);
  if (row == nullptr || !has_maps(*row) || choice.layer >= (*row)["layers"].size()) return nullptr;
  const Json& heads = (*row)["layers"][choice.layer]["heads"];
  return choice.head < heads.size() ? &heads[choice.head] : nullptr;
}

/// Shades between -1 and 1: probabilities as they are, scores over the greatest magnitude of the map.
double shade_factor(const std::vector<std::vector<double>>& matrix, std::string_view part) {
  if (part == "attention") return 1.0;
  double greatest = 0.0;
  for (const auto& row : matrix)
    for (const double value : row)
      greatest = std::isfinite(value) ? std::max(greatest, std::abs(value)) : greatest;
  return greatest == 0.0 ? 0.0 : 1.0 / greatest;
}

std::string map_cell(double value, double factor, bool hidden) {
  if (hidden || !std::isfinite(value)) return "<td class=\"hidden\"></td>";
  const double shade = std::round(value * factor * 1000.0) / 1000.0;
  return std::string("<td class=\"") + (shade < 0.0 ? "below" : "above") +
         (std::abs(shade) > 0.5 ? " strong" : "") +
         "\" style=\"--shade:" + coordinate(std::abs(shade) * 100.0) + "%\"></td>";
}

}  // namespace

std::string token_label(std::string_view token) {
  for (const std::string_view space : {"Ġ", "▁", " "})
    while (token.starts_with(space)) token.remove_prefix(space.size());
  if (token.empty()) return "␣";
  std::string label;
  std::size_t count = 0;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(token[i]) & 0xC0U) != 0x80U;
    if (begins && ++count > kLongestLabel) return label + "…";
    if (token[i] == '\n')
      label += "⏎";
    else
      label += token[i];
  }
  return label;
}

MapChoice first_map(const ReportData& data) {
  for (const char* mask : {"causal", "bidirectional"})
    if (const Json* row = data.row("rope-decoupled", mask); row != nullptr && has_maps(*row))
      return {.encoding = "rope-decoupled", .mask = mask};
  for (const Json& row : data.rows())
    if (has_maps(row))
      return {.encoding = row["encoding"].get_ref<const std::string&>(),
              .mask = row["mask"].get_ref<const std::string&>()};
  return {};
}

std::string head_map(const ReportData& data, const MapChoice& choice, std::string_view part) {
  const Json* head = head_of(data, choice);
  if (head == nullptr || !head->contains(part)) return "";
  const auto matrix = matrix_of((*head)[part]);
  const double factor = shade_factor(matrix, part);
  const auto tokens = data.tokens();
  std::string html = "<table class=\"map\" data-part=\"" + std::string(part) + "\">\n<thead><tr><td></td>";
  for (const auto& token : tokens)
    html += "<th scope=\"col\"><bdi>" + escape_xml(token_label(token)) + "</bdi></th>";
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t query = 0; query < std::min(matrix.size(), tokens.size()); ++query) {
    html += "<tr><th scope=\"row\"><bdi>" + escape_xml(token_label(tokens[query])) + "</bdi></th>";
    for (std::size_t key = 0; key < std::min(matrix[query].size(), tokens.size()); ++key)
      html += map_cell(matrix[query][key], factor, choice.mask == "causal" && key > query);
    html += "</tr>\n";
  }
  return html + "</tbody></table>";
}

std::string encoding_options(const ReportData& data, std::string_view chosen) {
  std::vector<std::string> labels;
  for (const Json& row : data.rows())
    if (has_maps(row) && std::ranges::find(labels, row_label(row)) == labels.end())
      labels.push_back(row_label(row));
  std::string html;
  for (const auto& label : labels)
    html +=
        "<option" + std::string(label == chosen ? " selected" : "") + ">" + escape_xml(label) + "</option>";
  return html;
}

std::string count_options(std::size_t count, std::size_t chosen) {
  std::string html;
  for (std::size_t i = 0; i < count; ++i)
    html += "<option" + std::string(i == chosen ? " selected" : "") + ">" + std::to_string(i) + "</option>";
  return html;
}

}  // namespace mla::lab
