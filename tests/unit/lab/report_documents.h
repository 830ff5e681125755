// Small documents for the report's tests: rows whose figures differ, and encodings computed here anew.
#pragma once

#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

namespace mla::report_test {

using Json = nlohmann::ordered_json;

inline Json head(std::size_t tokens) {
  Json attention = Json::array();
  for (std::size_t query = 0; query < tokens; ++query) {
    Json row = Json::array();
    for (std::size_t key = 0; key < tokens; ++key)
      row.push_back(key <= query ? 1.0 / static_cast<double>(query + 1) : 0.0);
    attention.push_back(row);
  }
  return {{"attention", attention}, {"content_scores", attention}, {"frequency_use", {2.0, 1.0}}};
}

/// A row in which nothing is remarkable.
inline Json row(const std::string& encoding, const std::string& mask, const std::string& stage) {
  Json decoupled = head(3);
  if (encoding == "rope-decoupled") decoupled["rotary_scores"] = {{-0.5, 0, 0}, {0.25, 1, 0}, {0, 0, 0.75}};
  return {{"encoding", encoding},
          {"mask", mask},
          {"stage", stage},
          {"trained", true},
          {"identical", false},
          {"identical_1e6", false},
          {"cosine", 0.5},
          {"l2", 1.5},
          {"norm_inflation", stage == "embedding" ? 1.25 : 1.0},
          {"pollution_cosine", stage == "embedding" ? 0.8 : 1.0},
          {"centered_cosine", 1.0},
          {"norm_error", stage == "rotation" ? Json(3e-7) : Json()},
          {"shift_error", stage == "embedding" ? 0.4 : 2e-7},
          {"shift_error_max", stage == "embedding" ? 0.9 : 6e-7},
          {"score_std", 1.5},
          {"content_score_std", 1.2},
          {"rotary_score_std", 0.3},
          {"bias_std", 0.0},
          {"attention_distance", 1.1},
          {"attention_entropy", 0.7},
          {"absorption_error", encoding == "rope" ? Json(0.61) : Json()},
          {"remark", ""},
          {"layers", Json::array({{{"heads", Json::array({decoupled, decoupled})}}})}};
}

/// All encodings under both masks, as `mla compare --json` has them.
inline Json comparison() {
  Json document = {{"text", "a dog saw a dog"},          {"word", "dog"},        {"positions", {0, 2}},
                   {"tokens", {"Ġdog", "Ġsaw", "Ġdog"}}, {"same_token", true},   {"repeated_words", {"dog"}},
                   {"model", "models/encodings"},        {"shift", 16},          {"rows", Json::array()},
                   {"trained", Json::array()},           {"statistics", nullptr}};
  const std::initializer_list<std::pair<const char*, const char*>> encodings = {
      {"none", "nowhere"},
      {"integer", "embedding"},
      {"binary", "embedding"},
      {"sinusoidal", "embedding"},
      {"learned", "embedding"},
      {"rope", "rotation"},
      {"rope-decoupled", "rotation"},
      {"alibi", "scores"}};
  for (const auto& [encoding, stage] : encodings)
    for (const char* mask : {"bidirectional", "causal"})
      document["rows"].push_back(row(encoding, mask, stage));
  document["rows"][0]["identical"] = true;
  document["rows"][0]["identical_1e6"] = true;
  for (const std::size_t integer : {2U, 3U}) {
    document["rows"][integer]["norm_inflation"] = 7.25;
    document["rows"][integer]["pollution_cosine"] = 0.125;
  }
  return document;
}

inline Json& row_of(Json& document, const std::string& encoding, const std::string& mask = "bidirectional") {
  for (Json& one : document["rows"])
    if (one["encoding"] == encoding && one["mask"] == mask) return one;
  throw std::logic_error("no row " + encoding);
}

inline Json trained_model(const std::string& encoding, double perplexity) {
  return {{"encoding", encoding},
          {"perplexity", {{"1", perplexity}, {"2", 2 * perplexity}, {"4", 4 * perplexity}}},
          {"copy", {{"1", 0.9}, {"2", 0.6}, {"4", 0.3}}},
          {"word_order", {{"1", 0.95}, {"2", 0.7}, {"4", 0.5}}},
          {"coreference", {{"1", 0.85}, {"2", 0.7}, {"4", 0.5}}},
          {"phase_shift", {{"0", perplexity}, {"128", 3 * perplexity}, {"256", nullptr}}},
          {"perplexity_at", {{0, 31, perplexity}, {32, 63, nullptr}}}};
}

/// A document of `mla encodings` with what the report reads of it.
inline Json study(const std::string& name, const Json& values) {
  Json mean = Json::array();
  Json least = Json::array();
  Json greatest = Json::array();
  for (std::size_t distance = 0; distance < values.size(); ++distance) {
    double sum = 0.0, lowest = INFINITY, highest = -INFINITY;
    for (std::size_t m = 0; m + distance < values.size(); ++m) {
      double dot = 0.0;
      for (std::size_t i = 0; i < values[m].size(); ++i)
        dot += values[m][i].get<double>() * values[m + distance][i].get<double>();
      sum += dot;
      lowest = std::fmin(lowest, dot);
      highest = std::fmax(highest, dot);
    }
    mean.push_back(sum / static_cast<double>(values.size() - distance));
    least.push_back(lowest);
    greatest.push_back(highest);
  }
  return {{"name", name},
          {"values", values},
          {"dot_by_distance", mean},
          {"dot_by_distance_least", least},
          {"dot_by_distance_greatest", greatest}};
}

/// binary and sinusoidal for positions 0 to 127 with 16 values, rope-decoupled with two pairs.
inline Json encodings() {
  Json binary = Json::array();
  Json sinusoidal = Json::array();
  Json rope = Json::array();
  for (unsigned position = 0; position < 128; ++position) {
    Json bits = Json::array();
    Json waves = Json::array();
    for (unsigned i = 0; i < 16; ++i) bits.push_back((position >> i) & 1U);
    for (unsigned i = 0; i < 8; ++i) {
      const double angle = position * std::pow(10000.0, -static_cast<double>(i) / 8.0);
      waves.push_back(std::sin(angle));
      waves.push_back(std::cos(angle));
    }
    binary.push_back(bits);
    sinusoidal.push_back(waves);
    rope.push_back(
        {std::cos(position), std::sin(position), std::cos(0.01 * position), std::sin(0.01 * position)});
  }
  Json rotary = study("rope-decoupled", rope);
  rotary["frequencies"] = {1.0, 0.01};
  return Json::array({study("binary", binary), study("sinusoidal", sinusoidal), rotary});
}

}  // namespace mla::report_test
