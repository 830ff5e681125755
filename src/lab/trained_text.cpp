#include "lab/trained_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

namespace mla::lab {
namespace {

constexpr std::array<std::size_t, 3> kShownShifts = {0, 64, 256};
constexpr std::array<std::pair<ProbeTask, std::string_view>, kProbeTasks.size()> kTitles = {
    {{ProbeTask::copy, "copy"}, {ProbeTask::word_order, "word order"}, {ProbeTask::coreference, "\"it\""}}};
constexpr std::size_t kNameWidth = 14;

/// Characters, not bytes: "±" is two bytes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string right(std::string_view text, std::size_t width) {
  const std::size_t own = characters(text);
  return std::string(width - std::min(width, own), ' ') + std::string(text);
}
std::string left(std::string_view text, std::size_t width) {
  const std::size_t own = characters(text);
  return std::string(text) + std::string(width - std::min(width, own), ' ');
}

std::string with_decimals(double value, int decimals) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  return buffer;
}
std::string as_power(double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.0e", value);
  return buffer;
}

/// At most 5 characters: "12.34", "12345", "1e+05".
std::string perplexity_text(double value) {
  return value < 99999.5 ? with_decimals(value, value < 99.995 ? 2 : 0) : as_power(value);
}
std::string accuracy_text(double value) {
  return with_decimals(100.0 * value, 0);
}
std::string perplexity_text(const Interval& value) {
  return perplexity_text(value.mean) + " ±" + perplexity_text(value.half_width);
}
std::string accuracy_text(const Interval& value) {
  return accuracy_text(value.mean) + " ±" + accuracy_text(value.half_width);
}

/// A table that grows by groups of columns.
template <typename Row>
class MeasureTable {
 public:
  explicit MeasureTable(std::span<const Row> rows)
      : rows_(rows), titles_(left("", kNameWidth)), headings_(left("encoding", kNameWidth)) {
    for (const Row& row : rows) lines_.push_back(left(row.encoding, kNameWidth));
  }

  /// One measure, a column for each setting, which stands above it between `before` and `behind`.
  template <typename Choose, typename Text>
  void add(std::string_view title, std::span<const std::size_t> settings, std::string_view before,
           std::string_view behind, std::size_t width, Choose choose, Text text) {
    titles_ += " ";
    titles_ += right(title, width * settings.size());
    headings_ += " ";
    for (const std::size_t setting : settings)
      headings_ += right(std::string(before) + std::to_string(setting) + std::string(behind), width);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      lines_[i] += " ";
      for (const std::size_t setting : settings) {
        const auto value = choose(rows_[i]).at(setting);
        lines_[i] += right(value ? text(*value) : "-", width);
      }
    }
  }

  void add_perplexity(std::size_t width) {
    add(
        "perplexity", kLengths, "", "x", width, [](const Row& row) { return row.perplexity; },
        kPerplexityText);
  }
  void add_accuracies(std::size_t width) {
    for (const auto& [task, title] : kTitles) {
      add(
          std::string(title) + " %", kLengths, "", "x", width,
          [task = task](const Row& row) { return row.of(task); },
          [](const auto& value) { return accuracy_text(value); });
    }
  }
  void add_phase_shift(std::size_t width) {
    add(
        "perplexity, shifted", kShownShifts, "+", "", width, [](const Row& row) { return row.phase_shift; },
        kPerplexityText);
  }

  std::string text() const {
    std::string result = titles_ + "\n" + headings_ + "\n";
    for (const std::string& line : lines_) result += line + "\n";
    return result;
  }

 private:
  static constexpr auto kPerplexityText = [](const auto& value) { return perplexity_text(value); };

  std::span<const Row> rows_;
  std::string titles_;
  std::string headings_;
  std::vector<std::string> lines_;
};

/// "200, 60, 60": the largest of `measure` over the results' counts at each length.
template <typename Measure>
std::string by_length(std::span<const TrainedResult> results, int decimals, Measure measure) {
  std::string line;
  for (const std::size_t length : kLengths) {
    double most = 0.0;
    for (const TrainedResult& result : results)
      for (const ProbeCount& count : result.counts)
        if (count.length == length) most = std::max(most, measure(count));
    line += (line.empty() ? "" : ", ") + with_decimals(most, decimals);
  }
  return line;
}

}  // namespace

std::string trained_table(std::span<const TrainedResult> results) {
  MeasureTable<TrainedResult> table(results);
  table.add_perplexity(7);
  table.add_accuracies(4);
  table.add_phase_shift(7);
  std::string probes;
  for (const auto& [task, title] : kTitles) {
    probes += (probes.empty() ? "" : "; ") + std::string(title) + " " +
              by_length(results, 0, [task = task](const ProbeCount& count) {
                return count.task == task ? static_cast<double>(count.probes) : 0.0;
              });
  }
  const std::string errors =
      by_length(results, 1, [](const ProbeCount& count) { return 100.0 * count.standard_error; });
  return table.text() + "Probes at 1x, 2x, 4x: " + probes +
         ".\nChance level of word order and \"it\": 1/2. Standard error of an accuracy: up to " + errors +
         " points.\n";
}

std::string statistics_tables(const Statistics& statistics) {
  MeasureTable<Measures<Interval>> perplexities(statistics.rows);
  perplexities.add_perplexity(13);
  perplexities.add_phase_shift(13);
  MeasureTable<Measures<Interval>> accuracies(statistics.rows);
  accuracies.add_accuracies(9);
  return "Mean over " + std::to_string(statistics.seeds) + " seeds ± half the width of the " +
         with_decimals(100.0 * statistics.confidence, 0) + " % confidence interval (Student's t)\n" +
         perplexities.text() + "\n" + accuracies.text();
}

}  // namespace mla::lab
