#include "lab/trained_json.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "base/json.h"
#include "mla/error.h"
#include "positional/registry.h"

namespace mla::lab {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr double kNoEnd = std::numeric_limits<double>::max();

Ordered value_json(double value) {
  return value;
}
Ordered value_json(const Interval& value) {
  return {{"mean", value.mean}, {"half_width", value.half_width}};
}

template <typename Value>
Ordered optional_json(const std::optional<Value>& value) {
  return value ? value_json(*value) : Ordered(nullptr);
}

template <typename Value>
Ordered series_json(const BySetting<Value>& series) {
  Ordered result = Ordered::object();
  for (const auto& [setting, value] : series.points) result[std::to_string(setting)] = optional_json(value);
  return result;
}

template <typename Value>
Ordered measures_json(const Measures<Value>& measures) {
  Ordered result = Ordered::object();
  result["encoding"] = measures.encoding;
  result["perplexity"] = series_json(measures.perplexity);
  for (const auto& [task, name] : kProbeTasks) result[std::string(name)] = series_json(measures.of(task));
  result["phase_shift"] = series_json(measures.phase_shift);
  result["perplexity_at"] = Ordered::array();
  for (const PositionBucket<Value>& bucket : measures.perplexity_at)
    result["perplexity_at"].push_back(
        Ordered::array({bucket.first, bucket.last, optional_json(bucket.perplexity)}));
  return result;
}

void refuse_other_keys(const JsonField& object, const std::set<std::string, std::less<>>& known) {
  for (const auto& [key, value] : object.expect_object().json().items())
    if (!known.contains(key)) object.get(key).fail("unknown key");
}

std::optional<double> read_value(const JsonField& field, double most) {
  if (field.json().is_null()) return std::nullopt;
  return field.as_number(0.0, most);
}

BySetting<double> read_series(const JsonField& field, std::span<const std::size_t> settings, double most) {
  BySetting<double> result;
  std::set<std::string, std::less<>> keys;
  for (const std::size_t setting : settings) {
    const std::string key = std::to_string(setting);
    result.points.emplace_back(setting, read_value(field.get(key), most));
    keys.insert(key);
  }
  refuse_other_keys(field, keys);
  return result;
}

PositionBucket<double> read_bucket(const JsonField& field) {
  constexpr std::int64_t kMostPositions = std::numeric_limits<std::int32_t>::max();
  if (field.array_size() != 3)
    field.fail("found " + std::to_string(field.array_size()) +
               " elements, expected [first, last, perplexity]");
  const std::int64_t first = field.element(0).as_int(0, kMostPositions);
  const std::int64_t last = field.element(1).as_int(first, kMostPositions);
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last),
          read_value(field.element(2), kNoEnd)};
}

std::string read_encoding(const JsonField& field) {
  if (find_encoding(field.as_string()) == nullptr)
    field.fail("found \"" + field.as_string() + "\", expected one of " + encoding_names());
  return field.as_string();
}

Measures<double> read_measures(const JsonField& field) {
  Measures<double> result;
  result.encoding = read_encoding(field.get("encoding"));
  std::set<std::string, std::less<>> keys = {"encoding", "perplexity", "phase_shift", "perplexity_at"};
  result.perplexity = read_series(field.get("perplexity"), kLengths, kNoEnd);
  for (const auto& [task, name] : kProbeTasks) {
    result.of(task) = read_series(field.get(name), kLengths, 1.0);
    keys.emplace(name);
  }
  result.phase_shift = read_series(field.get("phase_shift"), kShifts, kNoEnd);
  if (const auto buckets = field.find("perplexity_at"))
    for (std::size_t i = 0; i < buckets->array_size(); ++i)
      result.perplexity_at.push_back(read_bucket(buckets->element(i)));
  refuse_other_keys(field, keys);
  return result;
}

SeedResult read_seed(const JsonField& field) {
  SeedResult result{.seed = field.get("seed").as_int(0, std::numeric_limits<std::int64_t>::max()),
                    .trained = {}};
  const JsonField trained = field.get("trained");
  for (std::size_t i = 0; i < trained.array_size(); ++i) {
    const JsonField element = trained.element(i);
    Measures<double> measures = read_measures(element);
    for (const Measures<double>& before : result.trained) {
      if (before.encoding == measures.encoding)
        element.get("encoding")
            .fail("found \"" + measures.encoding + "\" again, expected each encoding once");
    }
    result.trained.push_back(std::move(measures));
  }
  refuse_other_keys(field, {"seed", "trained"});
  return result;
}

}  // namespace

Ordered to_json(const Measures<double>& measures) {
  return measures_json(measures);
}

Ordered to_json(const Statistics& statistics) {
  Ordered result = {{"seeds", statistics.seeds}, {"confidence", statistics.confidence}};
  result["rows"] = Ordered::array();
  for (const Measures<Interval>& row : statistics.rows) result["rows"].push_back(measures_json(row));
  return result;
}

std::vector<SeedResult> read_seed_results(const std::filesystem::path& file) {
  const Json document = read_json_file(file);
  const JsonField root(document, file.string());
  std::vector<SeedResult> seeds;
  for (std::size_t i = 0; i < root.array_size(); ++i) {
    const JsonField element = root.element(i);
    SeedResult result = read_seed(element);
    for (const SeedResult& before : seeds)
      if (before.seed == result.seed)
        element.get("seed").fail("found " + std::to_string(result.seed) + " again, expected each seed once");
    seeds.push_back(std::move(result));
  }
  return seeds;
}

void write_seed_results(const std::filesystem::path& file, std::span<const SeedResult> seeds) {
  std::string text = "[";  // An encoding a line, so that a change shows where it is.
  for (const SeedResult& seed : seeds) {
    text +=
        (text.size() > 1 ? ",\n" : "\n") + ("{\"seed\": " + std::to_string(seed.seed)) + ", \"trained\": [";
    for (const Measures<double>& measures : seed.trained)
      text += (&measures == seed.trained.data() ? "\n" : ",\n") + to_json(measures).dump();
    text += "\n]}";
  }
  text += "\n]\n";
  AtomicFile output(file);
  output.write(std::as_bytes(std::span(text)));
  output.commit();
}

std::optional<Statistics> family_statistics(const std::filesystem::path& family) {
  const std::filesystem::path file = family / "statistics.json";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  try {
    return statistics_of(read_seed_results(file));
  } catch (const Error& error) {
    if (!error.file().empty()) throw;
    throw Error(error.code(), file.string(), "", error.what());
  }
}

}  // namespace mla::lab
