// mla perplexity: how surprised the model is by a text file.
#include "mla/perplexity.h"

#include <memory>

#include "base/progress.h"
#include "cli/command.h"

namespace mla::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string file;
};

void run(const Options& options) {
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(options.model.path());
  const std::shared_ptr<const Model> model = options.model.load();
  const std::vector<TokenId> ids = tokenizer->encode(read_text(options.file));
  // A tokenizer that begins every text with the same special token: windows in the middle begin with it, too.
  const std::vector<TokenId> empty = tokenizer->encode("");
  const bool begins = !empty.empty() && !ids.empty() && ids.front() == empty.front();
  const TokenId bos = begins ? empty.front() : -1;

  Session session(model, options.model.session_options());
  constexpr std::size_t kUsualContext = 512;
  const std::size_t context =
      options.model.context == 0 ? std::min(kUsualContext, session.context()) : session.context();
  ProgressBar bar("perplexity");
  const PerplexityResult result = perplexity(
      session, ids, context, bos, [&](std::size_t done, std::size_t total) { bar.update(done, total); });
  char line[160];
  std::snprintf(line, sizeof line, "tokens = %zu, scored = %zu, context = %zu\nppl = %.4f +/- %.4f\n",
                ids.size(), result.scored_tokens, context, result.perplexity, result.standard_error);
  print(line);
}

}  // namespace

void add_perplexity(CLI::App& app) {
  CLI::App* command = app.add_subcommand("perplexity", "Measure the perplexity of a text file");
  const auto options = std::make_shared<Options>();
  options->model.add_all(*command);
  command->get_option("--context")
      ->description("Tokens in a window; the second half of each is scored (default: 512)");
  command->add_option("-f,--file", options->file, "Text file (- for stdin)")->type_name("FILE")->required();
  command->footer("Example:\n  mla perplexity -f README.md -c 256");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
