#include "lab/report_tables.h"

#include <algorithm>
#include <array>

#include "lab/report_numbers.h"
#include "lab/svg.h"

namespace mla::lab {
namespace {

struct Column {
  const char* title;
  const char* key;
};

std::string head_row(const std::vector<std::string>& titles) {
  std::string html = "<thead><tr>";
  for (const auto& title : titles) html += "<th scope=\"col\">" + escape_xml(title) + "</th>";
  return html + "</tr></thead>\n";
}

std::string cell(const std::string& text) {
  return "<td>" + escape_xml(text) + "</td>";
}

/// A number, or a dash where the measure does not apply.
std::string number_cell(std::optional<double> value) {
  return value ? "<td class=\"number\">" + figure_text(value) + "</td>" : "<td class=\"number none\">–</td>";
}

std::string name_cell(const Json& row) {
  return "<th scope=\"row\">" + escape_xml(row_label(row)) + "</th>";
}

std::string scrolling(const std::string& label, const std::string& table) {
  return "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" + escape_xml(label) +
         "\"><table>\n" + table + "</table></div>\n";
}

std::string same_text(const Json& row) {
  if (flag_at(row, "identical")) return "the same";
  return flag_at(row, "identical_1e6") ? "the same to 10⁻⁶" : "different";
}

std::string row_table(const ReportData& data, const std::string& label, bool sameness,
                      const std::vector<Column>& columns, bool remark) {
  std::vector<std::string> titles = {"encoding", "mask"};
  if (sameness) titles.emplace_back("two vectors");
  for (const auto& column : columns) titles.emplace_back(column.title);
  std::string html = head_row(titles) + "<tbody>\n";
  for (const Json& row : data.rows()) {
    const std::string note = remark ? text_at(row, "remark") : "";
    html += note.empty() ? "<tr>" : "<tr class=\"with-remark\">";
    html += name_cell(row) + cell(text_at(row, "mask"));
    if (sameness) html += cell(same_text(row));
    for (const auto& column : columns) html += number_cell(number_at(row, column.key));
    html += "</tr>\n";
    if (!note.empty())
      html += "<tr class=\"remark\"><td></td><td colspan=\"" + std::to_string(titles.size() - 1) + "\">" +
              escape_xml(note) + "</td></tr>\n";
  }
  return scrolling(label, html + "</tbody>");
}

}  // namespace

std::string summary_table(const ReportData& data) {
  return row_table(data, "The two words under every encoding", true,
                   {{"cosine", "cosine"},
                    {"distance", "l2"},
                    {"length ×", "norm_inflation"},
                    {"cosine to word", "pollution_cosine"},
                    {"norm error", "norm_error"},
                    {"shift error", "shift_error"},
                    {"score spread", "score_std"}},
                   true);
}

std::string attention_table(const ReportData& data) {
  return row_table(data, "Scores and attention under every encoding", false,
                   {{"score spread", "score_std"},
                    {"content part", "content_score_std"},
                    {"rotary part", "rotary_score_std"},
                    {"bias", "bias_std"},
                    {"distance", "attention_distance"},
                    {"entropy", "attention_entropy"}},
                   false);
}

std::string trained_table(const ReportData& data) {
  if (!data.has_trained()) return "";
  struct Task {
    const char* key;
    const char* title;
    bool share;
  };
  constexpr std::array<Task, 4> kTasks = {{{"perplexity", "perplexity", false},
                                           {"word_order", "who chased whom", true},
                                           {"coreference", "what “it” was", true},
                                           {"copy", "copying", true}}};
  std::string head = "<thead><tr><th scope=\"col\" rowspan=\"2\">encoding</th>";
  for (const auto& task : kTasks)
    head += "<th scope=\"colgroup\" colspan=\"3\">" + std::string(task.title) + "</th>";
  head += "</tr><tr>";
  for (std::size_t i = 0; i < kTasks.size(); ++i)
    for (const char* length : {"1×", "2×", "4×"})
      head += "<th scope=\"col\">" + std::string(length) + "</th>";
  std::string html = head + "</tr></thead>\n<tbody>\n";
  for (const auto& name : data.trained_names()) {
    html += "<tr><th scope=\"row\">" + escape_xml(name) + "</th>";
    for (const auto& task : kTasks)
      for (const char* at : {"1", "2", "4"}) {
        const auto estimate = data.trained(name, task.key, at);
        html += !estimate ? "<td class=\"number none\">–</td>"
                          : "<td class=\"number\">" +
                                (task.share ? percent_text(estimate) : estimate_text(estimate)) + "</td>";
      }
    html += "</tr>\n";
  }
  return scrolling("The trained family", html + "</tbody>");
}

std::string marked_tokens(const ReportData& data) {
  const auto words = data.positions();
  std::string html;
  std::size_t index = 0;
  for (const auto& token : data.tokens()) {
    const bool word = std::ranges::find(words, index) != words.end();
    html += std::string("<li") + (word ? " class=\"word\"" : "") + "><bdi>" + escape_xml(token_label(token)) +
            "</bdi><small>" + std::to_string(index++) + "</small></li>\n";
  }
  return html;
}

}  // namespace mla::lab
