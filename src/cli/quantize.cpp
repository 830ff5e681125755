// mla quantize: makes a GGUF file of a model, with smaller weights.
#include <cstdio>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "convert/convert.h"
#include "mla/error.h"

namespace mla::cli {
namespace {

struct Options {
  std::string model;
  std::string output;
  std::string type;
  int threads = 0;
  bool force = false;
};

std::string type_names() {
  std::string names;
  for (const Quantization& quantization : quantizations())
    names.append(names.empty() ? "" : ", ").append(quantization.name);
  return names;
}

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

[[noreturn]] void refuse_own_source(const std::filesystem::path& output) {
  throw Error(ErrorCode::argument, output.string(), "", "the output is the source, expected another file");
}

/// Nothing that the conversion reads may be what it writes: no file of the folder, but for GGUF files, which are of
/// other conversions where there are weights beside them.
void check_output(const std::filesystem::path& source, const std::filesystem::path& output) {
  std::error_code ignored;
  if (is_same_file(source, output)) refuse_own_source(output);
  for (const auto& entry : std::filesystem::directory_iterator(source, ignored))
    if (entry.path().extension() != ".gguf" && is_same_file(entry.path(), output)) refuse_own_source(output);
}

/// No file with weights either: a folder may have nothing but a GGUF file, and a model's parts lie beside the one named.
void check_output(const ConversionPlan& plan, const std::filesystem::path& output) {
  std::set<std::string_view> files;
  for (const PlannedTensor& tensor : plan.tensors) files.insert(tensor.file);
  for (const std::string_view file : files)
    if (is_same_file(file, output)) refuse_own_source(output);
}

void refuse_existing(const std::filesystem::path& output) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(output, ignored)))
    throw Error(ErrorCode::argument, output.string(), "", "the file exists; --force replaces it");
}

void report(const ConversionPlan& plan, const ConversionSummary& summary, const std::string& output) {
  constexpr double kMebibyte = 1024.0 * 1024.0;
  std::string types;
  for (const auto& [name, use] : summary.dtypes)
    types.append(types.empty() ? "" : ", ").append(std::to_string(use.tensors)).append(" ").append(name);
  std::fprintf(stderr, "%s: %zu tensors (%s)\n%.2f MiB -> %.2f MiB, %.3f bits per weight\n", output.c_str(),
               plan.tensors.size(), types.c_str(), static_cast<double>(plan.source_bytes) / kMebibyte,
               static_cast<double>(summary.tensor_bytes) / kMebibyte,
               8.0 * static_cast<double>(summary.tensor_bytes) / static_cast<double>(summary.elements));
}

void run(const Options& options) {
  const Quantization& quantization = *find_quantization(options.type);
  check_output(options.model, options.output);
  if (!options.force) refuse_existing(options.output);
  const ConversionPlan plan = plan_conversion(options.model, quantization);
  check_output(plan, options.output);
  ConversionSummary summary;
  {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;
    ProgressBar bar("quantize, MiB");
    summary = convert(plan, quantization, options.output,
                      {.threads = options.threads, .progress = [&](std::size_t done, std::size_t total) {
                         bar.update(done / kMebibyte, (total + kMebibyte - 1) / kMebibyte);
                       }});
  }
  report(plan, summary, options.output);
}

}  // namespace

void add_quantize(CLI::App& app) {
  CLI::App* command = app.add_subcommand("quantize", "Make a GGUF file of a model, with smaller weights");
  const auto options = std::make_shared<Options>();
  command->add_option("-m,--model", options->model, "Model folder or GGUF file")
      ->type_name("DIR|GGUF")
      ->required();
  command->add_option("-o,--output", options->output, "File to write")->type_name("OUT.gguf")->required();
  std::vector<std::string> names;
  for (const Quantization& quantization : quantizations()) names.emplace_back(quantization.name);
  command->add_option("--type", options->type, "Type of the weights: " + type_names())
      ->type_name("TYPE")
      ->check(CLI::IsMember(names).description(""))
      ->required();
  command->add_option("-t,--threads", options->threads, "Threads (default: physical cores)")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
  command->add_flag("--force", options->force, "Replace the output if it exists");
  command->footer("Example:\n  mla quantize -m models/stories -o stories.gguf --type q8_0");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
