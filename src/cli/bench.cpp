// mla bench: how fast a model runs here, beside what the machine could do.
#include "mla/bench.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "cli/bench_output.h"
#include "cli/command.h"
#include "mla/error.h"
#include "mla/machine.h"

namespace mla::cli {
namespace {

struct Options {
  ModelOptions model;
  std::vector<std::size_t> prefill = {512};
  std::vector<std::size_t> decode = {128};
  std::vector<std::size_t> depths = {0};
  std::vector<int> threads;
  std::size_t repetitions = 5;
  std::string text;
  bool machine = false;
  bool json = false;
  bool markdown = false;

  BenchFormat format() const {
    return json ? BenchFormat::json : markdown ? BenchFormat::markdown : BenchFormat::text;
  }
  std::vector<int> thread_counts() const {
    return threads.empty() ? std::vector<int>{default_thread_count()} : threads;
  }
};

/// As it was given, but for the program's folder.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  const std::size_t program_end = std::min(text.find(' '), text.size());
  const std::size_t slash = text.rfind('/', program_end);
  return slash == std::string::npos ? text : text.substr(slash + 1);
}

/// What someone waits for who asks for one token behind a prompt of one: tokenizer, model, session, a forward pass,
/// the choice.
void produce_first_token(const std::shared_ptr<const Model>& model, const Tokenizer* tokenizer,
                         const SessionOptions& session_options) {
  Session session(model, session_options);
  const std::vector<TokenId> prompt = bench_tokens(model->info().vocab_size, 1);
  const std::span<const float> logits = session.evaluate(prompt);
  const auto chosen = std::max_element(logits.begin(), logits.end()) - logits.begin();
  if (tokenizer != nullptr) {
    const TokenId id = static_cast<TokenId>(chosen);
    tokenizer->decode(std::span(&id, 1));
  }
}

MachineOptions limits_needed(const BenchReport& report) {
  MachineOptions needed;
  needed.threads.clear();
  needed.units.clear();
  needed.read = false;
  needed.every_isa = false;
  needed.quick = true;
  std::set<MultiplyUnit> units;
  std::set<int> threads;
  for (const BenchResult& result : report.results) {
    threads.insert(result.test.threads);
    if (result.test.kind == BenchKind::decode)
      needed.read = true;
    else
      for (std::size_t unit = 0; unit < kMultiplyUnits; ++unit)
        if (result.work.operations[unit] > 0.0) units.insert(static_cast<MultiplyUnit>(unit));
  }
  // bf16 may also be multiplied as fp32.
  if (units.contains(MultiplyUnit::bf16)) units.insert(MultiplyUnit::fp32);
  needed.units.assign(units.begin(), units.end());
  needed.threads.assign(threads.begin(), threads.end());
  return needed;
}

MachineLimits measure(const MachineOptions& options) {
  ProgressBar bar("limits");
  return measure_machine(options, [&](std::size_t done, std::size_t total) { bar.update(done, total); });
}

BenchReport run_tests(const Options& options, const std::shared_ptr<const Model>& model,
                      std::vector<TokenId> text) {
  const BenchOptions tests{.prefill = options.prefill,
                           .decode = options.decode,
                           .depths = options.depths,
                           .threads = options.thread_counts(),
                           .repetitions = options.repetitions,
                           .text = std::move(text),
                           .session = options.model.session_options()};
  ProgressBar bar("bench");
  return run_bench(model, tests, [&](std::size_t done, std::size_t total) { bar.update(done, total); });
}

void bench_model(const Options& options) {
  const double earlier = process_seconds();
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  BenchFindings findings;
  const std::vector<int> threads = options.thread_counts();
  ModelOptions model_options = options.model;
  model_options.threads = *std::max_element(threads.begin(), threads.end());
  const auto model = model_options.load();
  findings.load_seconds = seconds();
  findings.model = model->info();
  std::shared_ptr<const Tokenizer> tokenizer;
  if (findings.model.tokenizer || !options.text.empty()) tokenizer = Tokenizer::load(options.model.path());
  produce_first_token(model, tokenizer.get(), model_options.session_options());
  findings.first_token_seconds = earlier + seconds();
  findings.first_token_threads = model_options.threads;

  std::vector<TokenId> text;
  findings.tokens = "pseudo-random tokens (mt19937_64, seed " + std::to_string(kBenchSeed) + ")";
  if (!options.text.empty()) {
    text = tokenizer->encode(read_text(options.text));
    if (text.empty()) throw Error(ErrorCode::argument, options.text, "", "found no tokens, expected some");
    findings.tokens = "the " + std::to_string(text.size()) + " tokens of " + options.text + ", repeated";
  }
  findings.command = command_line();
  findings.batch = options.model.batch;
  findings.report = run_tests(options, model, std::move(text));
  for (const BenchTest& test : findings.report.skipped)
    std::fprintf(stderr, "mla: skipped %s: the context holds %zu tokens\n", describe(test).c_str(),
                 findings.report.context);
  findings.limits = measure(limits_needed(findings.report));
  print(bench_output(findings, options.format()));
}

void run(const Options& options) {
  if (!options.machine) return bench_model(options);
  MachineOptions all;
  all.threads = options.thread_counts();
  print(machine_output(measure(all), command_line(), options.format()));
}

template <typename Number>
CLI::Option* add_list(CLI::App& command, const std::string& name, std::vector<Number>& values,
                      const std::string& description, std::uint64_t least, std::uint64_t greatest) {
  return command.add_option(name, values, description)
      ->type_name("N,N")
      ->delimiter(',')
      ->check(whole_number(least, greatest));
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "Measure speed and memory beside the machine's limits");
  const auto options = std::make_shared<Options>();
  options->model.add_all(*command);
  command->remove_option(command->get_option("--threads"));
  add_list(*command, "-t,--threads", options->threads, "Numbers of threads (default: physical cores)", 1,
           kMaxThreads);
  CLI::Option* machine = command->add_flag("--machine", options->machine,
                                           "Measure the machine's limits alone, every instruction set's");
  const auto of_model = [&](CLI::Option* option) { machine->excludes(option); };
  of_model(command->get_option("--model"));
  of_model(add_list(*command, "-p,--prefill", options->prefill, "Tokens to prefill (0: none)", 0, kMostTokens)
               ->capture_default_str());
  of_model(add_list(*command, "-n,--decode", options->decode, "Tokens to decode one by one (0: none)", 0,
                    kMostTokens)
               ->capture_default_str());
  of_model(add_list(*command, "-d,--depth", options->depths, "Tokens that stand before those measured", 0,
                    kMostTokens)
               ->capture_default_str());
  of_model(command->add_option("-r,--repetitions", options->repetitions, "Repetitions of each test")
               ->type_name("N")
               ->check(whole_number(1, 10000))
               ->capture_default_str());
  of_model(command
               ->add_option("--text", options->text,
                            "Text file (- for stdin) whose tokens are evaluated, repeated as needed "
                            "(default: pseudo-random tokens)")
               ->type_name("FILE"));
  CLI::Option* json = command->add_flag("--json", options->json, "As JSON, with every repetition's time");
  command->add_flag("--markdown", options->markdown, "As Markdown")->excludes(json);
  command->footer(
      "Example:\n  mla bench -p 512 -n 128 -d 0,4096 -t 1,2\n  mla bench --machine -t 1,2\n\n"
      "Shares: decode by the bytes that a token must read, of the read bandwidth; prefill by the "
      "multiplications and "
      "additions it takes, of the peak of the units for the weights' types.");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
