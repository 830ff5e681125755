#include "cli/bench_output.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.h"
#include "lab/table.h"
#include "mla/version.h"

namespace mla::cli {
namespace {

using lab::Align;
using lab::Table;
using OrderedJson = nlohmann::ordered_json;
using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr double kGiga = 1e9;

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

/// Four digits or so.
std::string rate(double value) {
  return number(value, value < 10.0 ? 3 : value < 100.0 ? 2 : value < 1000.0 ? 1 : 0);
}

std::string gigabytes(double bytes) {
  return bytes < 1e9 ? number(bytes / 1e6, 1) + " MB" : number(bytes / kGiga, 2) + " GB";
}

std::string percent(double share) {
  return number(100.0 * share, 1) + "%";
}

const char* kind_name(BenchKind kind) {
  return kind == BenchKind::prefill ? "prefill" : "decode";
}

Spread tokens_per_second(const BenchResult& result) {
  std::vector<double> rates;
  for (const double seconds : result.seconds)
    rates.push_back(static_cast<double>(result.test.tokens) / std::max(seconds, 1e-9));
  return spread_of(rates);
}

double operations_of(const PassWork& work) {
  double sum = 0.0;
  for (const double part : work.operations) sum += part;
  return sum;
}

/// How near to the machine's limit the median repetition came; nothing if that limit was not measured.
std::optional<double> share_of_limit(const BenchResult& result, const MachineLimits& limits) {
  const double median = std::max(spread_of(result.seconds).median, 1e-9);
  if (result.test.kind == BenchKind::prefill) {
    const auto least = least_multiply_seconds(result.work, limits, result.test.threads);
    return least ? std::optional(*least / median) : std::nullopt;
  }
  const auto bandwidth = limits.bytes_per_second(result.test.threads);
  return bandwidth ? std::optional(result.work.bytes / *bandwidth / median) : std::nullopt;
}

/// The units that a prefill's work is counted by, the most used first: "int8", or "97% int8, 3% bf16".
std::string units_of(const PassWork& work) {
  const double all = operations_of(work);
  std::vector<std::pair<double, std::string>> parts;
  for (std::size_t unit = 0; unit < kMultiplyUnits; ++unit)
    if (work.operations[unit] > 0.0)
      parts.emplace_back(work.operations[unit] / all, name_of(static_cast<MultiplyUnit>(unit)));
  std::sort(parts.rbegin(), parts.rend());
  if (parts.size() == 1) return parts.front().second;
  std::string text;
  for (const auto& [share, name] : parts)
    text.append(text.empty() ? "" : ", ").append(percent(share)).append(" ").append(name);
  return text;
}

/// What the limit of a test is: "bf16 peak", "read bandwidth".
std::string limit_of(const BenchResult& result) {
  return result.test.kind == BenchKind::prefill ? units_of(result.work) + " peak" : "read bandwidth";
}

/// What the median repetition did a second: "512 Gop/s", "20.1 GB/s".
std::string achieved(const BenchResult& result) {
  const double median = std::max(spread_of(result.seconds).median, 1e-9);
  if (result.test.kind == BenchKind::prefill)
    return rate(operations_of(result.work) / median / kGiga) + " Gop/s";
  return rate(result.work.bytes / median / kGiga) + " GB/s";
}

Table result_table(const BenchFindings& findings) {
  Table table({{"test", Align::left},
               {"depth", Align::right},
               {"threads", Align::right},
               {"tokens/s", Align::right},
               {"min", Align::right},
               {"max", Align::right},
               {"does", Align::right},
               {"share", Align::right},
               {"of", Align::left}});
  for (const BenchResult& result : findings.report.results) {
    const Spread speed = tokens_per_second(result);
    const auto share = share_of_limit(result, findings.limits);
    table.add({std::string(kind_name(result.test.kind)) + " " + std::to_string(result.test.tokens),
               std::to_string(result.test.depth), std::to_string(result.test.threads), rate(speed.median),
               rate(speed.least), rate(speed.greatest), achieved(result), share ? percent(*share) : "-",
               limit_of(result)});
  }
  return table;
}

std::vector<int> threads_of(const MachineLimits& limits) {
  std::vector<int> threads;
  const auto add = [&](int count) {
    if (std::find(threads.begin(), threads.end(), count) == threads.end()) threads.push_back(count);
  };
  for (const ReadBandwidth& read : limits.reads) add(read.threads);
  for (const MultiplyPeak& peak : limits.peaks) add(peak.threads);
  return threads;
}

Table machine_table(const MachineLimits& limits) {
  const std::vector<int> threads = threads_of(limits);
  std::vector<Table::Column> columns = {{"limit", Align::left}, {"instruction set", Align::left}};
  for (const int count : threads)
    columns.push_back({std::to_string(count) + (count == 1 ? " thread" : " threads"), Align::right});
  Table table(std::move(columns));
  if (!limits.reads.empty()) {
    std::vector<std::string> row = {"read bandwidth", ""};
    for (const int count : threads)
      row.push_back(rate(limits.bytes_per_second(count).value_or(0.0) / kGiga) + " GB/s");
    table.add(std::move(row));
  }
  for (const MultiplyPeak& first : limits.peaks) {
    if (first.threads != threads.front()) continue;
    std::vector<std::string> row = {std::string(name_of(first.unit)) + " multiply-add", first.isa};
    for (const int count : threads)
      for (const MultiplyPeak& peak : limits.peaks)
        if (peak.unit == first.unit && peak.isa == first.isa && peak.threads == count)
          row.push_back(rate(peak.operations_per_second / kGiga) + " Gop/s");
    table.add(std::move(row));
  }
  return table;
}

std::string machine_line(const MachineLimits& limits) {
  std::string text = limits.processor + ", " + std::to_string(limits.cores) +
                     (limits.cores == 1 ? " core" : " cores") + ", " +
                     gigabytes(static_cast<double>(limits.memory_bytes)) + " memory";
  if (limits.last_level_cache_bytes > 0)
    text += ", last-level cache " + gigabytes(static_cast<double>(limits.last_level_cache_bytes));
  return text;
}

std::string model_line(const ModelInfo& info) {
  std::string types;
  for (const auto& [name, use] : info.dtypes) types.append(types.empty() ? "" : ", ").append(name);
  return info.path + ": " + info.architecture + ", " + info.format +
         (info.file_type.empty() ? "" : " mostly " + info.file_type) + " (" + types + "), " +
         number(static_cast<double>(info.parameters) / 1e6, 1) + " M parameters, " +
         number(static_cast<double>(info.active_parameters) / 1e6, 1) + " M of them active";
}

std::size_t active_bytes(const ModelInfo& info) {
  std::size_t sum = 0;
  for (const auto& [type, active] : info.active_weights) sum += active.bytes;
  return sum;
}

std::string memory_line(const BenchFindings& findings) {
  const ProcessMemory& memory = findings.report.memory;
  const auto file = static_cast<double>(findings.model.weight_bytes);
  return "peak " + gigabytes(static_cast<double>(memory.peak)) + ", of it in no file " +
         gigabytes(static_cast<double>(memory.anonymous)) + "; weights " + gigabytes(file) +
         ", peak / weights " + number(static_cast<double>(memory.peak) / std::max(file, 1.0), 3);
}

Lines bench_lines(const BenchFindings& findings) {
  Lines lines;
  lines.emplace_back("command", findings.command);
  lines.emplace_back("machine", machine_line(findings.limits));
  lines.emplace_back("model", model_line(findings.model));
  lines.emplace_back("runs", std::string("mla ") + MLA_VERSION + ", precision " +
                                 std::string(to_string(findings.model.precision)) + ", " +
                                 findings.limits.isa + ", batches of " + std::to_string(findings.batch) +
                                 ", " + findings.tokens);
  lines.emplace_back("a token reads",
                     gigabytes(static_cast<double>(active_bytes(findings.model))) + " of weights, and " +
                         gigabytes(static_cast<double>(findings.model.cache_bytes_per_token) * 1000) +
                         " of cache for each 1000 tokens kept");
  lines.emplace_back("load", number(1e3 * findings.load_seconds, 1) + " ms");
  lines.emplace_back("first token", number(1e3 * findings.first_token_seconds, 1) +
                                        " ms after the process began (one token of prompt, threads: " +
                                        std::to_string(findings.first_token_threads) + ")");
  lines.emplace_back("memory", memory_line(findings));
  return lines;
}

Lines machine_lines(const MachineLimits& limits, const std::string& command) {
  Lines lines;
  lines.emplace_back("command", command);
  lines.emplace_back("machine", machine_line(limits));
  lines.emplace_back("runs", std::string("mla ") + MLA_VERSION + ", " + limits.isa + ", read buffer " +
                                 gigabytes(static_cast<double>(limits.read_buffer_bytes)));
  return lines;
}

std::string format_lines(const Lines& lines, BenchFormat format) {
  std::string text;
  std::size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, name.size());
  for (const auto& [name, value] : lines)
    if (format == BenchFormat::markdown)
      text.append("- ")
          .append(name)
          .append(name == "command" ? ": `" : ": ")
          .append(value)
          .append(name == "command" ? "`\n" : "\n");
    else
      text.append("  ").append(name).append(width + 2 - name.size(), ' ').append(value).append("\n");
  return text + "\n";
}

std::string format_table(const Table& table, BenchFormat format) {
  return format == BenchFormat::markdown ? table.markdown() : table.text();
}

OrderedJson machine_json(const MachineLimits& limits) {
  OrderedJson json;
  json["processor"] = limits.processor;
  json["cores"] = limits.cores;
  json["memory_bytes"] = limits.memory_bytes;
  json["last_level_cache_bytes"] = limits.last_level_cache_bytes;
  json["read_buffer_bytes"] = limits.read_buffer_bytes;
  json["read_bandwidth"] = OrderedJson::array();
  for (const ReadBandwidth& read : limits.reads)
    json["read_bandwidth"].push_back(
        {{"threads", read.threads}, {"bytes_per_second", read.bytes_per_second}});
  json["multiply_peaks"] = OrderedJson::array();
  for (const MultiplyPeak& peak : limits.peaks)
    json["multiply_peaks"].push_back({{"unit", name_of(peak.unit)},
                                      {"isa", peak.isa},
                                      {"threads", peak.threads},
                                      {"operations_per_second", peak.operations_per_second}});
  return json;
}

OrderedJson model_json(const ModelInfo& info) {
  OrderedJson json;
  json["path"] = info.path;
  json["format"] = info.format;
  if (!info.file_type.empty()) json["file_type"] = info.file_type;
  json["architecture"] = info.architecture;
  json["parameters"] = {{"total", info.parameters}, {"active", info.active_parameters}};
  json["weight_bytes"] = info.weight_bytes;
  for (const auto& [type, active] : info.active_weights)
    json["active_weights"][type] = {{"elements", active.elements}, {"bytes", active.bytes}};
  json["cache_bytes_per_token"] = info.cache_bytes_per_token;
  return json;
}

OrderedJson test_json(const BenchTest& test) {
  OrderedJson json;
  json["test"] = kind_name(test.kind);
  json["tokens"] = test.tokens;
  json["depth"] = test.depth;
  json["threads"] = test.threads;
  return json;
}

OrderedJson result_json(const BenchResult& result, const MachineLimits& limits) {
  const Spread speed = tokens_per_second(result);
  OrderedJson json = test_json(result.test);
  json["seconds"] = result.seconds;
  json["tokens_per_second"] = {{"median", speed.median}, {"min", speed.least}, {"max", speed.greatest}};
  if (result.test.kind == BenchKind::decode) json["bytes"] = result.work.bytes;
  for (std::size_t unit = 0; unit < kMultiplyUnits; ++unit)
    if (result.work.operations[unit] > 0.0)
      json["operations"][name_of(static_cast<MultiplyUnit>(unit))] = result.work.operations[unit];
  const auto share = share_of_limit(result, limits);
  json["share"] = share ? OrderedJson(*share) : OrderedJson(nullptr);
  json["share_of"] = limit_of(result);
  return json;
}

OrderedJson head_json(const std::string& command, const MachineLimits& limits) {
  OrderedJson json;
  json["mla"] = MLA_VERSION;
  json["command"] = command;
  json["isa"] = limits.isa;
  json["machine"] = machine_json(limits);
  return json;
}

std::string dumped(const OrderedJson& json) {
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string bench_json(const BenchFindings& findings) {
  OrderedJson json = head_json(findings.command, findings.limits);
  json["model"] = model_json(findings.model);
  json["precision"] = to_string(findings.model.precision);
  json["batch"] = findings.batch;
  json["tokens"] = findings.tokens;
  json["load_seconds"] = findings.load_seconds;
  json["first_token"] = {{"seconds", findings.first_token_seconds},
                         {"threads", findings.first_token_threads}};
  const ProcessMemory& memory = findings.report.memory;
  json["memory"] = {{"peak_bytes", memory.peak},
                    {"resident_bytes", memory.resident},
                    {"anonymous_bytes", memory.anonymous},
                    {"peak_to_weights", static_cast<double>(memory.peak) /
                                            std::max(static_cast<double>(findings.model.weight_bytes), 1.0)}};
  json["results"] = OrderedJson::array();
  for (const BenchResult& result : findings.report.results)
    json["results"].push_back(result_json(result, findings.limits));
  json["skipped"] = OrderedJson::array();
  for (const BenchTest& test : findings.report.skipped) json["skipped"].push_back(test_json(test));
  return dumped(json);
}

}  // namespace

std::string describe(const BenchTest& test) {
  return std::string(kind_name(test.kind)) + " of " + std::to_string(test.tokens) + " tokens at depth " +
         std::to_string(test.depth);
}

std::string bench_output(const BenchFindings& findings, BenchFormat format) {
  if (format == BenchFormat::json) return bench_json(findings);
  return format_lines(bench_lines(findings), format) + format_table(result_table(findings), format) + "\n" +
         format_table(machine_table(findings.limits), format);
}

std::string machine_output(const MachineLimits& limits, const std::string& command, BenchFormat format) {
  if (format == BenchFormat::json) return dumped(head_json(command, limits));
  return format_lines(machine_lines(limits, command), format) + format_table(machine_table(limits), format);
}

}  // namespace mla::cli
