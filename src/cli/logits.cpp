// mla logits: the logits of every token, as a NumPy file.
#include <memory>

#include "base/progress.h"
#include "cli/command.h"
#include "formats/npy.h"
#include "mla/error.h"
#include "runtime/vocabularies.h"

namespace mla::cli {
namespace {

struct Options {
  ModelOptions model;
  PromptOptions prompt;
  std::string output;
};

void run(const Options& options) {
  const std::shared_ptr<const Tokenizer> tokenizer =
      options.prompt.is_ids() ? nullptr : Tokenizer::load(options.model.path());
  const std::shared_ptr<const Model> model = options.model.load();
  if (tokenizer) check_vocabulary(*tokenizer, *model);
  const std::vector<TokenId> ids = options.prompt.tokens(tokenizer.get());
  Session session(model, options.model.session_options());
  ProgressBar bar("logits");
  session.set_progress([&](std::size_t done, std::size_t total) { bar.update(done, total); });
  NpyWriter writer(options.output, ids.size(), model->info().vocab_size);
  session.evaluate_all(ids, [&](std::size_t, std::span<const float> logits) { writer.write(logits); });
  writer.commit();
}

}  // namespace

void add_logits(CLI::App& app) {
  CLI::App* command = app.add_subcommand("logits", "Write the logits of every token to a .npy file");
  const auto options = std::make_shared<Options>();
  options->model.add_all(*command);
  options->prompt.add(*command, true);
  command->add_option("-o,--output", options->output, "File to write: float32 [tokens, vocab_size]")
      ->type_name("OUT.npy")
      ->required();
  command->footer("Example:\n  mla logits -p \"The dog chased another dog\" -o logits.npy");
  command->callback([options] {
    if (!options->prompt.given()) throw CLI::RequiredError("-p, -f or --ids");
    run(*options);
  });
}

}  // namespace mla::cli
