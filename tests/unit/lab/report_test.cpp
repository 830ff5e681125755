#include "lab/report.h"

#include <catch2/catch.hpp>

#include <regex>
#include <set>
#include <stdexcept>

#include "lab/page_template.h"
#include "lab/report_numbers.h"
#include "lab/report_studies.h"
#include "lab/report_tables.h"
#include "unit/lab/report_documents.h"

using namespace mla::lab;
using mla::report_test::comparison;
using mla::report_test::encodings;
using mla::report_test::trained_model;

namespace {

bool has(const std::string& page, std::string_view text) {
  return page.find(text) != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// What the <script> of this id holds.
Json embedded(const std::string& page, const std::string& id) {
  const std::string tag = "<script type=\"application/json\" id=\"" + id + "\">";
  const std::size_t begin = page.find(tag) + tag.size();
  return Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

std::set<std::string> all_matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::set<std::string> result;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    result.insert((*it)[1]);
  return result;
}

}  // namespace

TEST_CASE("report: holds the documents it is made of, and their figures", "[lab]") {
  const Json document = comparison();
  const std::string page = html_report(document, encodings());
  CHECK(embedded(page, "comparison") == document);
  CHECK(embedded(page, "encodings") == encodings());
  for (const char* figure : {"7.25", "0.125", "0.610", "3.0×10⁻⁷", "2.0×10⁻⁷"}) CHECK(has(page, figure));
  for (const Json& row : document["rows"])
    CHECK(has(page, "<th scope=\"row\">" + row["encoding"].get<std::string>() + "</th>"));
  CHECK_FALSE(has(page, "{{"));
  CHECK_FALSE(has(page, "NaN"));
}

TEST_CASE("report: loads nothing, and every link leads somewhere", "[lab]") {
  Json document = comparison();
  document["trained"] = {trained_model("none", 9.0), trained_model("learned", 7.0),
                         trained_model("alibi", 6.0)};
  for (const Json& one : {document, comparison()}) {
    const std::string page = html_report(one, encodings());
    CHECK(has(page, "default-src 'none'"));
    CHECK_FALSE(has(page, "url("));
    CHECK_FALSE(has(page, "@import"));
    CHECK(all_matches(page, R"re(\ssrc="([^"]*)")re").empty());
    const auto ids = all_matches(page, R"re(\sid="([^"]*)")re");
    for (const auto& link : all_matches(page, R"re(\shref="([^"]*)")re")) {
      CAPTURE(link);
      CHECK(link.starts_with('#'));
      CHECK(ids.contains(link.substr(1)));
    }
  }
}

TEST_CASE("report: text is shown as it is and ends no tag", "[lab]") {
  Json document = comparison();
  const std::string nasty = "</script><!-- <b>\"&' \xd7\xa9\xf0\x9f\x90\x95 \xff";
  document["text"] = nasty;
  document["word"] = nasty;
  document["model"] = nasty;
  document["tokens"] = {nasty, "\n", ""};
  document["rows"][0]["remark"] = nasty;
  const std::string page = html_report(document, encodings());
  CHECK_FALSE(has(page, "<!-- "));
  CHECK_FALSE(has(page, "<b>\"&'"));
  CHECK(has(page, "&lt;/script&gt;"));
  const std::string shown = embedded(page, "comparison")["text"];
  CHECK(shown.starts_with(nasty.substr(0, nasty.size() - 1)));
}

TEST_CASE("report: leaves out what is not there", "[lab]") {
  CHECK(has(html_report(Json::object(), Json::array()), "left out for texts of more than 48 tokens"));
  Json document = comparison();
  CHECK(has(html_report(document, encodings()), "without the trained family"));
  CHECK(has(html_report(document, encodings()), "<section id=\"integer\""));

  document["rows"] = Json::array({mla::report_test::row("none", "causal", "nowhere")});
  for (Json& head : document["rows"][0]["layers"][0]["heads"]) head.erase("attention");
  const std::string page = html_report(document, Json::array());
  CHECK_FALSE(has(page, "<section id=\"integer\""));
  CHECK_FALSE(has(page, "<section id=\"mla\""));
  CHECK(has(page, "<section id=\"none\""));
  CHECK_FALSE(has(page, "<table class=\"map\""));
}

TEST_CASE("report: the trained family with and without intervals", "[lab]") {
  Json document = comparison();
  document["trained"] = {trained_model("none", 9.0), trained_model("learned", 7.0)};
  CHECK(has(html_report(document, encodings()), "one seed"));
  document["statistics"] = {
      {"seeds", 3},
      {"confidence", 0.95},
      {"rows", {{{"encoding", "none"}, {"perplexity", {{"1", {{"mean", 9.125}, {"half_width", 0.25}}}}}}}}};
  const std::string page = html_report(document, encodings());
  CHECK(has(page, "means over 3 seeds"));
  CHECK(has(page, "9.12 ± 0.25"));
}

TEST_CASE("report: maps hide what the causal mask hides", "[lab]") {
  const Json document = comparison();
  const Json none = Json::array();
  const ReportData data(document, none);
  const MapChoice choice = first_map(data);
  CHECK(choice.encoding == "rope-decoupled");
  CHECK(choice.mask == "causal");
  const std::string map = head_map(data, choice, "rotary_scores");
  // -0.5, 0.25, 1, 0, 0, 0.75 below the diagonal, in shares of the greatest; three cells above it are hidden.
  CHECK(all_matches(map, "(--shade:[0-9.]*%)") ==
        std::set<std::string>{"--shade:50%", "--shade:25%", "--shade:100%", "--shade:0%", "--shade:75%"});
  CHECK(count(map, "class=\"hidden\"") == 3);
  CHECK(head_map(data, choice, "bias").empty());
  CHECK(head_map(data, {"alibi", "causal", 9, 0}, "attention").empty());
}

TEST_CASE("report: tokens as labels", "[lab]") {
  CHECK(token_label("Ġdog") == "dog");
  CHECK(token_label("▁犬") == "犬");
  CHECK(token_label(" ") == "␣");
  CHECK(token_label("\n") == "⏎");
  CHECK(token_label("Donaudampfschifffahrt") == "Donaudampfschi…");
  CHECK(token_label("äöüäöüäöüäöüäö") == "äöüäöüäöüäöüäö");
}

TEST_CASE("report: numbers in prose", "[lab]") {
  CHECK(figure_text(std::nullopt) == "not measured");
  CHECK(figure_text(0.0) == "0");
  CHECK(figure_text(1.0) == "1.00");
  CHECK(figure_text(0.99997) == "0.99997");
  CHECK(figure_text(0.5) == "0.500");
  CHECK(figure_text(0.0123) == "0.0123");
  CHECK(figure_text(-12.34) == "−12.3");
  CHECK(figure_text(99.96) == "100");
  CHECK(figure_text(48321.0) == "48,321");
  CHECK(figure_text(3.14e-7) == "3.1×10⁻⁷");
  CHECK(figure_text(2.5e12) == "2.5×10¹²");
  CHECK(percent_text(std::optional(0.974)) == "97.4 %");
  CHECK(estimate_text(Estimate{6.8, 0.204}) == "6.80 ± 0.20");
  CHECK(estimate_text(Estimate{6.8, std::nullopt}) == "6.80");
}

TEST_CASE("report: filling in a page", "[lab]") {
  const PageValues values = {{"name", "<b>"}, {"yes", "1"}, {"no", ""}};
  CHECK(fill_page("a {{name}} c", values) == "a <b> c");
  CHECK(fill_page("{{#yes}}in{{/yes}}{{^yes}}out{{/yes}}", values) == "in");
  CHECK(fill_page("{{#no}}in {{#yes}}x{{/yes}}{{/no}}{{^no}}out{{/no}}", values) == "out");
  CHECK_THROWS_AS(fill_page("{{other}}", values), std::logic_error);
  CHECK_THROWS_AS(fill_page("{{#no}}{{other}}{{/no}}", values), std::logic_error);
  CHECK_THROWS_AS(fill_page("{{#yes}}", values), std::logic_error);
  CHECK_THROWS_AS(fill_page("{{/yes}}", values), std::logic_error);
  CHECK_THROWS_AS(fill_page("{{name", values), std::logic_error);
  CHECK_THROWS_AS(fill_page("{{>nowhere.html}}", values), std::logic_error);
}

TEST_CASE("report: studies of what a model's settings allow", "[lab]") {
  mla::EncodingSettings settings;
  settings.num_heads = 4;
  const auto names = [](const Json& documents) {
    std::set<std::string> result;
    for (const Json& one : documents) result.insert(one["name"].get<std::string>());
    return result;
  };
  CHECK(names(report_studies(settings)) ==
        std::set<std::string>{"integer", "binary", "sinusoidal", "rope", "alibi"});
  settings.decoupled = true;
  settings.rotary_dim = 16;
  settings.table = mla::PositionTable{.values = std::vector<float>(24, 0.5F), .dims = 8};
  const Json documents = report_studies(settings);
  CHECK(names(documents).contains("rope-decoupled"));
  for (const Json& one : documents)
    if (one["name"] == "learned") CHECK(one["values"].size() == 3);
}
