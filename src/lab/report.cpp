#include "lab/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "lab/claims.h"
#include "lab/page_files.h"
#include "lab/page_template.h"
#include "lab/palette.h"
#include "lab/report_data.h"
#include "lab/report_figures.h"
#include "lab/report_numbers.h"
#include "lab/report_tables.h"
#include "lab/svg.h"
#include "mla/version.h"
#include "positional/registry.h"

namespace mla::lab {
namespace {

/// For a <script>: JSON has "<" in strings only, and there it may be written as an escape.
std::string script_json(const Json& value) {
  const std::string json = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  for (const char c : json)
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  return safe;
}

std::string_view symbol(Verdict verdict) {
  switch (verdict) {
    case Verdict::confirmed:
      return "✓";
    case Verdict::limited:
      return "◐";
    case Verdict::refuted:
      return "✗";
    case Verdict::unmeasured:
      break;
  }
  return "○";
}

std::string_view css_class(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames = {"confirmed", "limited", "refuted", "unmeasured"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string verdict_box(const Claim& claim) {
  return "<div class=\"verdict " + std::string(css_class(claim.verdict)) + "\" id=\"claim-" +
         std::string(claim.id) + "\">\n<p class=\"claim\">“" + escape_xml(claim.claim) +
         "”</p>\n<p><strong><span aria-hidden=\"true\">" + std::string(symbol(claim.verdict)) + "</span> " +
         std::string(verdict_text(claim.verdict)) + ".</strong> " + escape_xml(claim.evidence) +
         "</p>\n</div>";
}

/// Where nothing was measured the claim's section may be missing.
std::string linked(const Claim& claim) {
  const std::string text = escape_xml(claim.claim);
  if (claim.verdict == Verdict::unmeasured) return "<b>" + text + "</b>";
  return "<a href=\"#claim-" + std::string(claim.id) + "\">" + text + "</a>";
}

std::string verdict_list(const std::vector<Claim>& claims, Verdict verdict) {
  std::string html;
  for (const auto& claim : claims)
    if (claim.verdict == verdict)
      html += "<li>" + linked(claim) + " " + escape_xml(claim.evidence) + "</li>\n";
  return html;
}

void add_claims(const ReportData& data, PageValues& values) {
  const auto claims = judge(data);
  for (const auto& claim : claims) values["claim." + std::string(claim.id)] = verdict_box(claim);
  for (const Verdict verdict :
       {Verdict::confirmed, Verdict::limited, Verdict::refuted, Verdict::unmeasured}) {
    const std::string name(css_class(verdict));
    values["list." + name] = verdict_list(claims, verdict);
    values["count." + name] = std::to_string(std::ranges::count(claims, verdict, &Claim::verdict));
  }
}

/// `integer` is there if there is a row, `integer.norm_inflation` is its figure in prose.
void add_rows(const ReportData& data, PageValues& values) {
  for (const EncodingEntry* entry : encodings()) {
    const std::string name(entry->name);
    const Json* row = data.row(name);
    values[name] = row == nullptr ? "" : "yes";
    for (const char* key : {"cosine", "l2", "norm_inflation", "pollution_cosine", "centered_cosine",
                            "norm_error", "shift_error", "score_std", "content_score_std", "rotary_score_std",
                            "bias_std", "absorption_error"})
      values[name + "." + key] = figure_text(row == nullptr ? std::nullopt : number_at(*row, key));
  }
}

/// A section is there if there is anything to say in it.
void add_sections(const ReportData& data, PageValues& values) {
  const auto set = [&](const std::string& name, bool there) {
    values["section." + name] = there ? "yes" : "";
  };
  for (const char* name : {"none", "integer", "binary", "sinusoidal", "learned", "alibi"})
    set(name, data.row(name) != nullptr || !data.values(name).empty());
  if (data.trained("learned") != nullptr) set("learned", true);
  set("additive", !data.additive().empty());
  const bool rotary = data.row("rope") != nullptr || data.row("rope-decoupled") != nullptr;
  set("rope", rotary || !data.frequencies().empty());
  // Models that cache keys and values have nothing to absorb.
  set("mla", data.row("rope-decoupled") != nullptr || data.figure("rope", "absorption_error").has_value());
}

void add_text(const ReportData& data, PageValues& values) {
  const Json& comparison = data.comparison();
  const auto positions = data.positions();
  values["text"] = escape_xml(data.text("text"));
  values["word"] = escape_xml(data.text("word"));
  values["model"] = escape_xml(data.text("model"));
  values["random"] = data.text("model") == "random" ? "yes" : "";
  values["same-token"] = data.same_token() ? "yes" : "";
  values["first-position"] = positions.empty() ? "" : std::to_string(positions.front());
  values["second-position"] = positions.empty() ? "" : std::to_string(positions.back());
  values["shift"] = whole_text(number_at(comparison, "shift"));
  values["tokens"] = marked_tokens(data);
  values["table.summary"] = summary_table(data);
  values["table.attention"] = attention_table(data);
  values["table.trained"] = trained_table(data);
  values["trained"] = data.has_trained() ? "yes" : "";
  values["statistics"] = data.has_statistics() ? "yes" : "";
  const Json statistics = data.has_statistics() ? comparison["statistics"] : Json::object();
  values["seeds"] = whole_text(number_at(statistics, "seeds"));
  values["confidence"] = whole_text(number_at(statistics, "confidence").value_or(0.95) * 100.0);
  values["version"] = MLA_VERSION;
}

void add_maps(const ReportData& data, PageValues& values) {
  const MapChoice choice = first_map(data);
  const Json* row = choice.encoding.empty() ? nullptr : data.row(choice.encoding, choice.mask);
  values["maps"] = row == nullptr ? "" : "yes";
  values["map.encoding"] = escape_xml(choice.encoding);
  values["map.mask"] = escape_xml(choice.mask);
  values["map.attention"] = head_map(data, choice, "attention");
  values["map.encodings"] = row == nullptr ? "" : encoding_options(data, row_label(*row));
  values["map.layers"] = row == nullptr ? "" : count_options((*row)["layers"].size(), 0);
  values["map.heads"] = row == nullptr ? "" : count_options((*row)["layers"][0]["heads"].size(), 0);
  const bool decoupled = choice.encoding == "rope-decoupled";
  values["map.content"] = decoupled ? head_map(data, choice, "content_scores") : "";
  values["map.rotary"] = decoupled ? head_map(data, choice, "rotary_scores") : "";
}

/// One plane of sections/rotation.html as it stands before anyone moves it: query at position 5, key at 2.
void add_plane(const std::string& name, double frequency, PageValues& values) {
  constexpr std::array<double, 2> kQuery = {0.94, 0.342};
  constexpr std::array<double, 2> kKey = {0.36, 0.771};
  constexpr double kDegrees = 180.0 / std::numbers::pi;
  const double turn = 3.0 * frequency;  // Only the distance matters: turn the query alone.
  const double score = kKey[0] * (kQuery[0] * std::cos(turn) - kQuery[1] * std::sin(turn)) +
                       kKey[1] * (kQuery[1] * std::cos(turn) + kQuery[0] * std::sin(turn));
  values["rotation." + name + "-query"] = coordinate(-5.0 * frequency * kDegrees);
  values["rotation." + name + "-key"] = coordinate(-2.0 * frequency * kDegrees);
  values["rotation." + name + "-score"] = figure_text(score);
}

/// The rotating pairs: the frequencies of all, and a choice of the slow one.
void add_rotation(const ReportData& data, PageValues& values) {
  const auto frequencies = data.frequencies();
  std::string list;
  std::string options;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    list += (i == 0 ? "" : ",") + Json(frequencies[i]).dump();
    options += "<option value=\"" + std::to_string(i) + "\"" +
               (i + 1 == frequencies.size() / 2 + 1 ? " selected" : "") + ">" + std::to_string(i) +
               ": a turn in " + figure_text(2.0 * std::numbers::pi / frequencies[i]) + " positions</option>";
  }
  values["rotation.frequencies"] = list;
  values["rotation.pairs"] = options;
  const double slow = frequencies.empty() ? 0.0 : frequencies[frequencies.size() / 2];
  add_plane("fast", frequencies.empty() ? 0.0 : frequencies[0], values);
  add_plane("slow", slow, values);
}

std::string dark_charts() {
  const std::string properties = dark_properties();
  return "@media screen and (prefers-color-scheme: dark) { :root:not(:has(#theme-light:checked)) { " +
         properties + "} }\n@media screen { :root:has(#theme-dark:checked) { " + properties + "} }\n";
}

}  // namespace

std::string html_report(const Json& comparison, const Json& encodings) {
  const ReportData data(comparison, encodings);
  PageValues values;
  add_text(data, values);
  add_rows(data, values);
  add_sections(data, values);
  add_claims(data, values);
  add_figures(data, values);
  add_maps(data, values);
  add_rotation(data, values);
  values["style"] = std::string(page_file("style.css")) + dark_charts();
  values["script"] = std::string(page_file("report.js"));
  values["script"] += page_file("rotation.js");
  values["script"] += page_file("maps.js");
  values["json.comparison"] = script_json(comparison);
  values["json.encodings"] = script_json(encodings);
  return fill_page(page_file("report.html"), values);
}

}  // namespace mla::lab
