#include "lab/statistics.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "lab/trained_json.h"
#include "lab/trained_text.h"
#include "mla/error.h"
#include "unit/base/scratch_folder.h"
#include "unit/base/thrown.h"

namespace {

using mla::lab::Measures;
using mla::lab::ProbeTask;
using mla::lab::SeedResult;

/// All measures are `value`, accuracies `value` / 10; learned has nothing beyond 1x.
Measures<double> measures(const std::string& encoding, double value) {
  Measures<double> result;
  result.encoding = encoding;
  const auto there = [&](std::size_t setting) { return encoding != "learned" || setting < 2; };
  const auto number = [&](std::size_t setting, double one) {
    return there(setting) ? std::optional(one) : std::nullopt;
  };
  for (const std::size_t length : mla::lab::kLengths) {
    result.perplexity.points.emplace_back(length, number(length, value));
    for (const auto& [task, name] : mla::lab::kProbeTasks)
      result.of(task).points.emplace_back(length, number(length, value / 10.0));
  }
  for (const std::size_t shift : mla::lab::kShifts)
    result.phase_shift.points.emplace_back(shift, number(shift, value));
  result.perplexity_at = {{0, 31, number(4, value)}, {32, 63, number(4, value)}};
  return result;
}

std::vector<SeedResult> three_seeds() {
  std::vector<SeedResult> seeds;
  for (int seed = 1; seed <= 3; ++seed)
    seeds.push_back({seed, {measures("none", 2.0 * seed), measures("learned", 3.0)}});
  return seeds;
}

constexpr const char* kNone =
    R"({"encoding":"none","perplexity":{"1":2.0,"2":2.0,"4":2.0},"copy":{"1":0.2,"2":0.2,"4":0.2},)"
    R"("word_order":{"1":0.2,"2":0.2,"4":0.2},"coreference":{"1":0.2,"2":0.2,"4":0.2},)"
    R"("phase_shift":{"0":2.0,"16":2.0,"32":2.0,"64":2.0,"128":2.0,"256":2.0},)"
    R"("perplexity_at":[[0,31,2.0],[32,63,2.0]]})";

std::size_t columns(const std::string& line) {
  std::size_t count = 0;
  for (const char c : line) count += (c & 0xC0) != 0x80 ? 1U : 0U;
  return count;
}

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
    most = std::max(most, columns(text.substr(begin, text.find('\n', begin) - begin)));
  return most;
}

}  // namespace

// Fisher and Yates, Statistical Tables, table III; the same in the NIST/SEMATECH e-Handbook, section 1.3.6.7.2.
TEST_CASE("Student's t equals the published table", "[lab][statistics]") {
  const std::vector<std::pair<std::size_t, double>> at_95 = {
      {1, 12.706}, {2, 4.303}, {3, 3.182},  {4, 2.776},  {5, 2.571},  {6, 2.447},  {7, 2.365},
      {8, 2.306},  {9, 2.262}, {10, 2.228}, {20, 2.086}, {30, 2.042}, {100, 1.984}};
  for (const auto& [degrees, t] : at_95) {
    CAPTURE(degrees);
    CHECK(mla::lab::student_t(0.95, degrees) == Approx(t).margin(0.0005));
  }
  CHECK(mla::lab::student_t(0.99, 1) == Approx(63.657).margin(0.0005));
  CHECK(mla::lab::student_t(0.99, 2) == Approx(9.925).margin(0.0005));
  CHECK(mla::lab::student_t(0.99, 9) == Approx(3.250).margin(0.0005));
  CHECK(mla::lab::student_t(0.90, 1) == Approx(6.314).margin(0.0005));
  CHECK(mla::lab::student_t(0.90, 2) == Approx(2.920).margin(0.0005));
}

TEST_CASE("an interval is Student's", "[lab][statistics]") {
  const mla::lab::Interval interval = mla::lab::mean_interval(std::vector{1.0, 2.0, 3.0}, 0.95);
  CHECK(interval.mean == 2.0);
  CHECK(interval.half_width == Approx(4.302653 / std::sqrt(3.0)).epsilon(1e-6));  // s = 1.
  CHECK(mla::lab::mean_interval(std::vector{5.0, 5.0}, 0.95).half_width == 0.0);
  // Student's own example (1908, Biometrika 6, section 9): ten patients' additional sleep, 0.75 and s = 1.70 with
  // n, which is 1.789 with n - 1.
  const std::vector sleep = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const mla::lab::Interval gained = mla::lab::mean_interval(sleep, 0.95);
  CHECK(gained.mean == Approx(0.75));
  CHECK(gained.half_width == Approx(2.262157 * 1.789010 / std::sqrt(10.0)).epsilon(1e-5));
  CHECK_THROWS_AS(mla::lab::mean_interval(std::vector{1.0}, 0.95), mla::Error);
}

TEST_CASE("seeds are combined measure by measure", "[lab][statistics]") {
  const mla::lab::Statistics statistics = mla::lab::statistics_of(three_seeds());
  CHECK(statistics.seeds == 3);
  REQUIRE(statistics.rows.size() == 2);
  const auto& none = statistics.rows[0];
  CHECK(none.encoding == "none");
  const double half_width = 4.302653 * 2.0 / std::sqrt(3.0);
  for (const std::size_t length : mla::lab::kLengths) {
    CHECK(none.perplexity.at(length).value().mean == Approx(4.0));
    CHECK(none.perplexity.at(length).value().half_width == Approx(half_width));
    CHECK(none.of(ProbeTask::copy).at(length).value().mean == Approx(0.4));
    CHECK(none.of(ProbeTask::coreference).at(length).value().half_width == Approx(half_width / 10.0));
  }
  CHECK(none.phase_shift.at(256).value().half_width == Approx(half_width));
  REQUIRE(none.perplexity_at.size() == 2);
  CHECK(none.perplexity_at[1].last == 63);
  CHECK(none.perplexity_at[1].perplexity.value().mean == Approx(4.0));
  const auto& learned = statistics.rows[1];
  CHECK(learned.perplexity.at(1).value().half_width == 0.0);
  CHECK_FALSE(learned.perplexity.at(2).has_value());
  CHECK_FALSE(learned.perplexity_at[0].perplexity.has_value());
}

TEST_CASE("seeds that do not fit together are refused", "[lab][statistics]") {
  std::vector<SeedResult> seeds = three_seeds();
  CHECK(thrown_by([&] { mla::lab::statistics_of(std::span(seeds).first(1)); }).field() == "seeds");
  seeds[2].trained[0].perplexity.points[1].second.reset();
  CHECK(thrown_by([&] { mla::lab::statistics_of(seeds); }).field() == "none.perplexity.2");
  seeds = three_seeds();
  seeds[1].trained[0].perplexity_at.pop_back();
  CHECK(thrown_by([&] { mla::lab::statistics_of(seeds); }).field() == "none.perplexity_at[1]");
  seeds = three_seeds();
  seeds[1].trained.pop_back();
  CHECK(thrown_by([&] { mla::lab::statistics_of(seeds); }).field() == "seed 2");
}

TEST_CASE("measures and statistics as JSON", "[lab][statistics]") {
  CHECK(mla::lab::to_json(measures("none", 2.0)).dump() == kNone);
  const auto learned = mla::lab::to_json(measures("learned", 2.0));
  CHECK(learned["perplexity"].dump() == R"({"1":2.0,"2":null,"4":null})");
  CHECK(learned["perplexity_at"].dump() == "[[0,31,null],[32,63,null]]");
  const auto statistics = mla::lab::to_json(mla::lab::statistics_of(three_seeds()));
  CHECK(statistics["seeds"] == 3);
  CHECK(statistics["confidence"] == 0.95);
  CHECK(statistics["rows"][1]["perplexity"].dump() ==
        R"({"1":{"mean":3.0,"half_width":0.0},"2":null,"4":null})");
  CHECK(statistics["rows"][0]["perplexity_at"][1][2]["mean"] == 4.0);
  std::string keys;
  for (const auto& [key, value] : statistics["rows"][0].items()) keys += key + " ";
  CHECK(keys == "encoding perplexity copy word_order coreference phase_shift perplexity_at ");
}

TEST_CASE("statistics.json is read as it was written", "[lab][statistics]") {
  const ScratchFolder folder;
  CHECK_FALSE(mla::lab::family_statistics(folder.path()).has_value());
  const std::vector<SeedResult> seeds = three_seeds();
  mla::lab::write_seed_results(folder.path() / "statistics.json", seeds);
  const std::vector<SeedResult> read = mla::lab::read_seed_results(folder.path() / "statistics.json");
  REQUIRE(read.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(read[i].seed == seeds[i].seed);
    REQUIRE(read[i].trained.size() == 2);
    for (std::size_t j = 0; j < 2; ++j)
      CHECK(mla::lab::to_json(read[i].trained[j]) == mla::lab::to_json(seeds[i].trained[j]));
  }
  CHECK(mla::lab::to_json(mla::lab::family_statistics(folder.path()).value()) ==
        mla::lab::to_json(mla::lab::statistics_of(seeds)));
  mla::lab::write_seed_results(folder.path() / "statistics.json", std::span(seeds).first(1));
  const mla::Error error = thrown_by([&] { mla::lab::family_statistics(folder.path()); });
  CHECK(error.file() == (folder.path() / "statistics.json").string());
}

TEST_CASE("a statistics.json that is wrong is named with its field", "[lab][statistics]") {
  const auto [field, from, to] = GENERATE(table<std::string, std::string, std::string>({
      {"[0].trained[0].encoding", "\"none\"", "\"morse\""},
      {"[0].trained[0].copy.1", "\"copy\":{\"1\":0.2", "\"copy\":{\"1\":1.2"},
      {"[0].trained[0].perplexity.2", "\"2\":2.0", "\"3\":2.0"},
      {"[0].trained[0].perplexity.8", "{\"1\":2.0", "{\"8\":1.0,\"1\":2.0"},
      {"[0].trained[0].word_order", "word_order", "order"},
      {"[0].trained[0].seed", "\"encoding\"", "\"seed\":1,\"encoding\""},
      {"[0].trained[0].phase_shift.16", "\"16\":2.0", "\"16\":-2.0"},
      {"[0].trained[0].perplexity_at[1]", "[32,63,2.0]", "[32,63]"},
      {"[0].trained[0].perplexity_at[1][1]", "[32,63,2.0]", "[32,31,2.0]"},
  }));
  std::string text = std::string(R"([{"seed":1,"trained":[)") + kNone + "]}]";
  const ScratchFolder folder;
  CHECK(mla::lab::read_seed_results(folder.write("whole.json", text)).size() == 1);
  text.replace(text.find(from), from.size(), to);
  const std::filesystem::path file = folder.write("wrong.json", text);
  const mla::Error error = thrown_by([&] { mla::lab::read_seed_results(file); });
  CHECK(error.file() == file.string());
  CHECK(error.field() == field);
}

TEST_CASE("a seed or an encoding twice is refused", "[lab][statistics]") {
  const ScratchFolder folder;
  const std::string seed = std::string(R"({"seed":1,"trained":[)") + kNone + "]}";
  const std::filesystem::path seeds = folder.write("seeds.json", "[" + seed + "," + seed + "]");
  CHECK(thrown_by([&] { mla::lab::read_seed_results(seeds); }).field() == "[1].seed");
  const std::filesystem::path twice =
      folder.write("twice.json", std::string(R"([{"seed":1,"trained":[)") + kNone + "," + kNone + "]}]");
  CHECK(thrown_by([&] { mla::lab::read_seed_results(twice); }).field() == "[0].trained[1].encoding");
}

TEST_CASE("the tables of the trained family", "[lab][statistics]") {
  std::vector<mla::lab::TrainedResult> results(3);
  static_cast<Measures<double>&>(results[0]) = measures("rope-decoupled", 7.25);
  static_cast<Measures<double>&>(results[1]) = measures("learned", 10.0);
  static_cast<Measures<double>&>(results[2]) = measures("integer", 10.0);
  for (auto& [length, value] : results[2].perplexity.points) value = 1.234e30;
  results[0].counts = {{ProbeTask::copy, 1, 200, 0.035}, {ProbeTask::copy, 4, 60, 0.01}};
  const std::string table = mla::lab::trained_table(results);
  CHECK(widest(table) <= 100);
  CHECK(table.find("rope-decoupled    7.25   7.25   7.25   72  72  72") != std::string::npos);
  CHECK(table.find("learned          10.00      -      -  100   -   -") != std::string::npos);
  CHECK(table.find("integer          1e+30  1e+30  1e+30  100 100 100") != std::string::npos);
  CHECK(table.find("copy 200, 0, 60; word order 0, 0, 0;") != std::string::npos);
  CHECK(table.find("1/2. Standard error of an accuracy: up to 3.5, 0.0, 1.0 points") != std::string::npos);

  std::vector<SeedResult> seeds = three_seeds();
  for (SeedResult& seed : seeds)
    for (auto& [length, value] : seed.trained[0].perplexity.points)
      value = 1e9 * static_cast<double>(seed.seed);
  const std::string tables = mla::lab::statistics_tables(mla::lab::statistics_of(seeds));
  CHECK(widest(tables) <= 100);
  CHECK(tables.find("none            2e+09 ±2e+09") != std::string::npos);
  CHECK(tables.find("40 ±50") != std::string::npos);
  CHECK(tables.find("3.00 ±0.00            -            -") != std::string::npos);
}
