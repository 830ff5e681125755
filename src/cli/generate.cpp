// mla generate: text from a prompt.
#include <cstdio>
#include <limits>
#include <memory>
#include <random>

#include "base/progress.h"
#include "cli/command.h"
#include "mla/error.h"
#include "mla/generator.h"
#include "runtime/vocabularies.h"

namespace mla::cli {
namespace {

struct Options {
  ModelOptions model;
  PromptOptions prompt;
  GenerateOptions generate;
  bool print_ids = false;
  // What the user gave wins over generation_config.json, which wins over the defaults.
  CLI::Option* temperature = nullptr;
  CLI::Option* top_k = nullptr;
  CLI::Option* top_p = nullptr;
  CLI::Option* min_p = nullptr;
  CLI::Option* typical_p = nullptr;
  CLI::Option* repetition_penalty = nullptr;
  CLI::Option* seed = nullptr;
};

/// The checkpoint's own sampling settings, where the command line says nothing.
void apply_defaults(const GenerationConfig& config, Options& options) {
  SamplerOptions& sampler = options.generate.sampler;
  const auto apply = [](const CLI::Option* given, const auto& value, auto& target) {
    if (given->empty() && value) target = *value;
  };
  if (config.do_sample.value_or(false)) {
    apply(options.temperature, config.temperature, sampler.temperature);
    apply(options.top_k, config.top_k, sampler.top_k);
    apply(options.top_p, config.top_p, sampler.top_p);
    apply(options.min_p, config.min_p, sampler.min_p);
    apply(options.typical_p, config.typical_p, sampler.typical_p);
  }
  apply(options.repetition_penalty, config.repetition_penalty, sampler.repetition_penalty);
  if (options.seed->empty()) sampler.seed = std::random_device{}();
}

std::vector<TokenId> prompt_tokens(const Options& options, const Model& model, const Tokenizer* tokenizer) {
  if (options.prompt.given()) return options.prompt.tokens(tokenizer);
  if (!model.generation_config().bos_token_id)
    throw Error(ErrorCode::argument, "", "prompt",
                "missing: the model has no bos_token_id to start from; give -p, -f or --ids");
  return {*model.generation_config().bos_token_id};
}

double rate(std::size_t tokens, double seconds) {
  return seconds > 0.0 ? static_cast<double>(tokens) / seconds : 0.0;
}

void report(const GenerateResult& result, std::uint64_t seed) {
  const std::size_t decoded = result.ids.empty() ? 0 : result.ids.size() - 1;
  std::fprintf(stderr, "prefill: %zu tokens, %.1f tokens/s; decode: %zu tokens, %.1f tokens/s; seed %llu%s\n",
               result.prompt_tokens, rate(result.prompt_tokens, result.prefill_seconds), decoded,
               rate(decoded, result.decode_seconds), static_cast<unsigned long long>(seed),
               result.reason == FinishReason::context ? "; stopped: the context is full" : "");
}

/// Impossible sampling options are the command line's fault: exit code 2.
void check_usage(const SamplerOptions& sampler) {
  try {
    check(sampler);
  } catch (const Error& error) {
    throw CLI::ValidationError(std::string("--") + error.what());
  }
}

/// What goes to stdout: the prompt (when it is text) and the text behind it, or the new ids.
class Output {
 public:
  Output(bool ids, std::string prompt) : ids_(ids), prompt_(std::move(prompt)) {}

  void add(TokenId id, std::string_view text) {
    begin();
    if (!ids_) return print(text);
    if (id < 0) return;
    print((first_id_ ? "" : " ") + std::to_string(id));
    first_id_ = false;
  }
  void end() {
    begin();
    print("\n");
  }

 private:
  /// The prompt is shown when it has been computed: one that is too long is an error, with nothing on stdout.
  void begin() {
    if (!ids_) print(prompt_);
    prompt_.clear();
  }

  bool ids_;
  std::string prompt_;
  bool first_id_ = true;
};

void run(Options& options) {
  check_usage(options.generate.sampler);
  const bool needs_text = !options.prompt.is_ids() || !options.print_ids;
  const std::shared_ptr<const Tokenizer> tokenizer =
      needs_text ? Tokenizer::load(options.model.path()) : nullptr;
  const std::shared_ptr<const Model> model = options.model.load();
  if (tokenizer) check_vocabulary(*tokenizer, *model);
  apply_defaults(model->generation_config(), options);
  const std::vector<TokenId> prompt = prompt_tokens(options, *model, tokenizer.get());

  Session session(model, options.model.session_options());
  ProgressBar bar("prefill");
  session.set_progress([&](std::size_t done, std::size_t total) {
    if (total > 1) bar.update(done, total);
  });
  const bool shows_prompt = options.prompt.given() && !options.prompt.is_ids();
  Output output(options.print_ids, shows_prompt ? tokenizer->decode(prompt) : std::string());
  const GenerateResult result =
      generate(session, tokenizer, prompt, options.generate, [&](TokenId id, std::string_view text) {
        bar.clear();
        output.add(id, text);
        return true;
      });
  // The id that ends the text is chosen but not passed on as text; among ids it is shown like the others.
  if (options.print_ids && result.reason == FinishReason::eos) output.add(result.ids.back(), "");
  output.end();
  report(result, options.generate.sampler.seed);
}

}  // namespace

void add_generate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("generate", "Generate text (to stdout; speed to stderr)");
  const auto options = std::make_shared<Options>();
  GenerateOptions& generate = options->generate;
  SamplerOptions& sampler = generate.sampler;
  generate.max_tokens = 200;
  options->model.add_all(*command);
  options->prompt.add(*command, true);
  command->add_option("-n,--max-tokens", generate.max_tokens, "Tokens to generate")
      ->type_name("N")
      ->check(whole_number(0, kMostTokens))
      ->capture_default_str();
  const auto number = [&](const char* name, double& value, const char* text) {
    return command->add_option(name, value, text)->type_name("X")->capture_default_str();
  };
  options->temperature = number("--temp", sampler.temperature, "Temperature; 0: always the likeliest token");
  options->top_k = command->add_option("--top-k", sampler.top_k, "Sample from the K likeliest; 0: from all")
                       ->type_name("K")
                       ->check(whole_number(0, std::numeric_limits<std::int32_t>::max()))
                       ->capture_default_str();
  options->top_p = number("--top-p", sampler.top_p, "... from the likeliest that together reach P");
  options->min_p =
      number("--min-p", sampler.min_p, "... from those with at least P times the largest probability");
  options->typical_p =
      number("--typical-p", sampler.typical_p, "... from the most typical that together reach P");
  options->repetition_penalty =
      number("--repetition-penalty", sampler.repetition_penalty, "Divides logits of tokens seen");
  number("--presence-penalty", sampler.presence_penalty, "Subtracted from the logits of tokens seen");
  number("--frequency-penalty", sampler.frequency_penalty, "Subtracted for each time a token was seen");
  options->seed =
      command->add_option("--seed", sampler.seed, "Seed of the sampler (default: a random one, shown)")
          ->type_name("S")
          ->check(whole_number(0, std::numeric_limits<std::uint64_t>::max()));
  command->add_option("--stop", generate.stop, "Stop before this text (may be repeated)")
      ->type_name("STR")
      ->allow_extra_args(false);
  command->add_flag("--ignore-eos", generate.ignore_eos, "Go on behind the end of the text");
  command->add_flag("--print-ids", options->print_ids, "Print the new token ids only");
  command->footer("Example:\n  mla generate -p \"Once upon a time\" -n 200 --temp 0.8 --seed 1");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
