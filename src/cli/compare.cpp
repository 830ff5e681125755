// mla compare: one sentence under every positional encoding.
#include <cstdint>
#include <memory>

#include "cli/command.h"
#include "lab/comparison_json.h"
#include "lab/comparison_text.h"

namespace mla::cli {
namespace {

struct Options {
  std::string text = "The dog chased another dog";
  std::string model;
  bool random = false;
  std::uint64_t seed = 1;
  lab::ComparisonOptions comparison;
  std::string json;
};

lab::Comparison compare(const Options& options) {
  if (options.random) return lab::compare_random(options.text, options.seed, options.comparison);
  if (!options.model.empty()) return lab::compare_model(options.model, options.text, options.comparison);
  return lab::compare_family(shipped_model("encodings"), options.text, options.comparison);
}

void run(const Options& options) {
  const lab::Comparison comparison = compare(options);
  const std::string json = options.json.empty() ? std::string() : lab::to_json(comparison).dump(1) + "\n";
  if (!options.json.empty()) write_text(options.json, json);
  if (options.json != "-") print(lab::to_text(comparison));
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
              "One checkpoint with its encoding exchanged (default: the shipped models/encodings, each "
              "trained with its own)")
          ->type_name("DIR");
  command->add_flag("--random", options->random, "Untrained layers, without a norm and with one")
      ->excludes(model);
  command->add_option("--seed", options->seed, "Of the untrained layers")
      ->check(whole_number(0, kMostTokens));
  command
      ->add_option("--shift", options->comparison.shift, "Positions by which the shifted pass starts later")
      ->type_name("K")
      ->check(whole_number(1, kMostTokens))
      ->capture_default_str();
  command->add_option("--json", options->json, "Write everything as JSON (- for stdout)")->type_name("FILE");
  command->footer("Example:\n  mla compare \"The dog chased the ball. It could not catch it.\" --word it");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
