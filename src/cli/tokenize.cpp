// mla tokenize: text to ids and back.
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/tokenize_line.h"

namespace mla::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string text;
  CLI::Option* text_option = nullptr;
  bool jsonl = false;
  bool decode = false;
  bool special = false;
  bool pieces = false;
};

void run_lines(const Tokenizer& tokenizer, const Options& options) {
  std::string line;
  std::string output;
  constexpr std::size_t kFlush = 1 << 16;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    output += tokenize_line(tokenizer, line, "stdin line " + std::to_string(number),
                            {.decode = options.decode, .special = options.special});
    output += '\n';
    if (output.size() < kFlush) continue;
    print(output);
    output.clear();
  }
  print(output);
}

void run(const Options& options) {
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(options.model.path());
  if (options.jsonl) return run_lines(*tokenizer, options);
  const std::string text = options.text_option->empty() ? read_text("-") : options.text;
  if (options.decode) return print(decode_checked(*tokenizer, parse_ids(text), options.special) + "\n");
  const std::vector<TokenId> ids = tokenizer->encode(text, options.special);
  if (!options.pieces) return print(join(ids, " ") + "\n");
  for (const TokenId id : ids)
    print(std::to_string(id) + "\t" + quoted(tokenizer->token_bytes(id, false)) + "\n");
}

}  // namespace

void add_tokenize(CLI::App& app) {
  CLI::App* command = app.add_subcommand("tokenize", "Turn text into token ids, or back with --decode");
  const auto options = std::make_shared<Options>();
  options->model.add_model(*command);
  command->get_option("--model")->description(
      "Model folder, GGUF file or tokenizer.json (default: the shipped models/stories)");
  options->text_option =
      command->add_option("text", options->text, "Text, or ids with --decode (default: stdin)");
  command->add_flag("--decode", options->decode, "From ids to text");
  command
      ->add_flag("--jsonl", options->jsonl,
                 "Each stdin line is a JSON string, each stdout line the array of its ids")
      ->excludes(options->text_option);
  command->add_flag("--special", options->special, "Add BOS and the like; with --decode show special tokens");
  command->add_flag("--pieces", options->pieces, "One line a token: id and text");
  command->footer("Example:\n  mla tokenize --pieces \"The dog chased another dog\"");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
