// mla perplexity: how surprised the model is by a text file, and how far it is from a reference.
#include "mla/perplexity.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/progress.h"
#include "cli/command.h"
#include "runtime/vocabularies.h"

namespace mla::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string file;
  std::string reference;
  CLI::Option* reference_option = nullptr;
};

std::string perplexity_line(const char* name, const PerplexityResult& result) {
  char line[160];
  std::snprintf(line, sizeof line, "%s = %.4f +/- %.4f\n", name, result.perplexity, result.standard_error);
  return line;
}

std::string as_text(const DivergenceResult& result) {
  char lines[320];
  std::snprintf(lines, sizeof lines,
                "ppl ratio = %.6f\nKL divergence = %.3e +/- %.1e nats a token, 99%% = %.3e, max = %.3e\n"
                "same top token = %.3f%%\n",
                result.perplexity_ratio, result.mean_kl, result.kl_standard_error, result.kl_99,
                result.greatest_kl, 100.0 * result.same_top);
  return perplexity_line("ppl", result.model) + perplexity_line("reference ppl", result.reference) + lines;
}

/// The same checkpoint, with the same encoding, or the one that was named; exact in either case.
std::shared_ptr<const Model> load_reference(const Options& options) {
  if (!options.reference.empty()) return Model::load(options.reference, {.precision = Precision::f32});
  return Model::load(options.model.path(),
                     {.precision = Precision::f32, .position_encoding = options.model.position_encoding});
}

void run(const Options& options) {
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(options.model.path());
  const std::shared_ptr<const Model> model = options.model.load();
  check_vocabulary(*tokenizer, *model);
  const std::vector<TokenId> ids = tokenizer->encode(read_text(options.file));
  // A tokenizer that begins every text with the same special token: windows in the middle begin with it, too.
  const std::vector<TokenId> empty = tokenizer->encode("");
  const bool begins = !empty.empty() && !ids.empty() && ids.front() == empty.front();
  const TokenId bos = begins ? empty.front() : -1;

  Session session(model, options.model.session_options());
  std::optional<Session> reference;
  if (!options.reference_option->empty())
    reference.emplace(load_reference(options), options.model.session_options());
  std::size_t context = std::min(session.context(), reference ? reference->context() : session.context());
  constexpr std::size_t kUsualContext = 512;
  if (options.model.context == 0) context = std::min(kUsualContext, context);
  ProgressBar bar("perplexity");
  const auto progress = [&](std::size_t done, std::size_t total) { bar.update(done, total); };
  std::size_t scored = 0;
  std::string result;
  if (reference) {
    const DivergenceResult divergence = compare_logits(session, *reference, ids, context, bos, progress);
    scored = divergence.model.scored_tokens;
    result = as_text(divergence);
  } else {
    const PerplexityResult own = perplexity(session, ids, context, bos, progress);
    scored = own.scored_tokens;
    result = perplexity_line("ppl", own);
  }
  print("tokens = " + std::to_string(ids.size()) + ", scored = " + std::to_string(scored) +
        ", context = " + std::to_string(context) + "\n" + result);
}

}  // namespace

void add_perplexity(CLI::App& app) {
  CLI::App* command = app.add_subcommand("perplexity", "Measure the perplexity of a text file");
  const auto options = std::make_shared<Options>();
  options->model.add_all(*command);
  command->get_option("--context")
      ->description("Tokens in a window; the second half of each is scored (default: 512)");
  command->add_option("-f,--file", options->file, "Text file (- for stdin)")->type_name("FILE")->required();
  options->reference_option =
      command
          ->add_option(
              "--reference", options->reference,
              "Also the KL divergence from another model in f32 (without PATH: from the same one in f32)")
          ->type_name("[PATH]")
          ->expected(0, 1);
  command->footer("Example:\n  mla perplexity -f README.md -c 256");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
