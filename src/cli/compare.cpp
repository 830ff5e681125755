// mla compare: one sentence under every positional encoding.
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "lab/comparison_json.h"
#include "lab/comparison_text.h"
#include "lab/evaluation.h"
#include "lab/report.h"
#include "lab/report_studies.h"
#include "lab/trained_json.h"
#include "model/model_parts.h"

namespace mla::cli {
namespace {

constexpr std::uint64_t kMostShift = 4096;

struct Options {
  std::string text = "The dog chased another dog";
  std::string model;
  std::string family;
  bool trained = false;
  int threads = 0;
  bool random = false;
  std::uint64_t seed = 1;
  lab::ComparisonOptions comparison;
  std::string json;
  std::string html;
};

/// Whether the sentence runs through the family of trained models, and not through one checkpoint or untrained layers.
bool takes_family(const Options& options) {
  return options.model.empty() && !options.random;
}

std::filesystem::path family_of(const Options& options) {
  return options.family.empty() ? shipped_model("encodings") : std::filesystem::path(options.family);
}

lab::Comparison compare(const Options& options) {
  if (options.random) return lab::compare_random(options.text, options.seed, options.comparison);
  if (!options.model.empty()) return lab::compare_model(options.model, options.text, options.comparison);
  lab::Comparison comparison = lab::compare_family(family_of(options), options.text, options.comparison);
  if (options.family.empty()) comparison.model = "models/encodings";  // Wherever it is installed.
  return comparison;
}

void evaluate(const Options& options, lab::Comparison& comparison) {
  const std::filesystem::path family = family_of(options);
  comparison.statistics = lab::family_statistics(family);
  ProgressBar bar("trained models");
  comparison.trained =
      lab::evaluate_family(family, {.threads = options.threads},
                           [&](std::size_t done, std::size_t total) { bar.update(done, total); });
}

/// What the report's pictures of the encodings themselves are made with. Not every family has every member.
EncodingSettings settings_of(const Options& options) {
  const auto settings = [](const std::filesystem::path& folder) {
    return Model::load(folder, {.precision = Precision::f32})->parts().decoder.encoding;
  };
  if (!options.model.empty()) return settings(options.model);
  EncodingSettings result;
  result.num_heads = 4;
  if (options.random) return result;
  const std::filesystem::path rotary = family_of(options) / "rope-decoupled";
  const std::filesystem::path learned = family_of(options) / "learned";
  if (std::filesystem::exists(rotary)) result = settings(rotary);
  if (std::filesystem::exists(learned)) result.table = settings(learned).table;
  return result;
}

void run(const Options& options) {
  if (!options.json.empty() && options.json == options.html)
    throw CLI::ValidationError("--html", "found the name that --json has, too, expected another");
  Output json(options.json);
  Output html(options.html);
  lab::Comparison comparison = compare(options);
  if (options.trained || (!options.html.empty() && takes_family(options))) evaluate(options, comparison);
  if (json.wanted() || html.wanted()) {
    const nlohmann::ordered_json document = lab::to_json(comparison);
    if (json.wanted()) json.write(document.dump(1) + "\n");
    if (html.wanted()) html.write(lab::html_report(document, lab::report_studies(settings_of(options))));
  }
  if (!json.to_stdout() && !html.to_stdout()) print(lab::to_text(comparison));
}

}  // namespace

void add_compare(CLI::App& app) {
  CLI::App* command = app.add_subcommand("compare", "Show what each positional encoding does to a sentence");
  const auto options = std::make_shared<Options>();
  command->add_option("text", options->text, "A text in which a word stands twice")
      ->type_name("TEXT")
      ->capture_default_str();
  command->add_option("--word", options->comparison.word, "The word to look at (default: found in the text)");
  CLI::Option* model =
      command
          ->add_option(
              "-m,--model", options->model,
              "One checkpoint (folder or GGUF file) with its encoding exchanged (default: the shipped "
              "models/encodings, each trained with its own)")
          ->type_name("PATH");
  CLI::Option* family = command->add_option("--family", options->family, "Another family of trained models")
                            ->type_name("DIR")
                            ->excludes(model);
  CLI::Option* trained =
      command
          ->add_flag(
              "--trained", options->trained,
              "Also what the trained models can do: perplexity by length and shift, copying, word order, "
              "coreference")
          ->excludes(model);
  command->add_option("-t,--threads", options->threads, "Threads of --trained (default: physical cores)")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
  command->add_flag("--random", options->random, "Untrained layers, without a norm and with one")
      ->excludes(trained)
      ->excludes(model)
      ->excludes(family);
  command->add_option("--seed", options->seed, "Of the untrained layers")
      ->check(whole_number(0, kMostTokens));
  command
      ->add_option("--shift", options->comparison.shift, "Positions by which the shifted pass starts later")
      ->type_name("K")
      ->check(whole_number(1, kMostShift))
      ->capture_default_str();
  command->add_option("--json", options->json, "Write everything as JSON (- for stdout)")->type_name("FILE");
  command->add_option("--html", options->html, "Write the report, a page of its own (- for stdout)")
      ->type_name("FILE");
  command->footer("Example:\n  mla compare \"The dog chased the ball. It could not catch it.\" --word it");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
