// The program: one subcommand a file, errors in one line, exit codes 0, 1 (failure), 2 (usage), 130
// (interrupted).
#include <CLI/CLI.hpp>

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "base/file.h"
#include "cli/command.h"
#include "mla/error.h"
#include "mla/version.h"

namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 2;
constexpr int kInterrupted = 130;

extern "C" void leave_at_once(int) {
  mla::remove_temporary_files();
  ::_exit(kInterrupted);
}

void set_up(CLI::App& app) {
  app.set_version_flag("--version", "mla " MLA_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Example:\n  mla generate -p \"The dog chased another dog\" -n 100\n\n"
      "mla COMMAND --help tells more about a command.");
  mla::cli::add_generate(app);
  mla::cli::add_tokenize(app);
  mla::cli::add_logits(app);
  mla::cli::add_perplexity(app);
  mla::cli::add_quantize(app);
  mla::cli::add_inspect(app);
  mla::cli::add_bench(app);
  mla::cli::add_compare(app);
  mla::cli::add_encodings(app);
}

/// What was asked for with --help or --version.
int show(CLI::App& app, const CLI::ParseError& request) {
  app.exit(request);
  if (std::cout.flush()) return 0;
  std::fprintf(stderr, "mla: error: stdout: cannot write\n");
  return kFailure;
}

int complain(const CLI::App& app, const CLI::ParseError& error, const std::string& first_word) {
  const auto commands = app.get_subcommands();
  if (commands.empty() && !first_word.empty() && first_word[0] != '-') {
    std::string known;
    for (const CLI::App* command : app.get_subcommands({}))
      known += (known.empty() ? "" : ", ") + command->get_name();
    std::fprintf(stderr, "mla: usage error: found \"%s\", expected one of %s (see mla --help)\n",
                 first_word.c_str(), known.c_str());
    return kUsage;
  }
  const std::string command = commands.empty() ? "mla" : "mla " + commands.front()->get_name();
  std::fprintf(stderr, "mla: usage error: %s (see %s --help)\n", error.what(), command.c_str());
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  if (std::signal(SIGINT, leave_at_once) == SIG_IGN) std::signal(SIGINT, SIG_IGN);
  CLI::App app("mla: runs language models on the CPU, those with latent attention (DeepSeek) first of all",
               "mla");
  try {
    set_up(app);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? show(app, error) : complain(app, error, argc > 1 ? argv[1] : "");
  } catch (const mla::Error& error) {
    std::fprintf(stderr, "mla: error: %s\n", error.what());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "mla: error: out of memory\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mla: error: %s\n", error.what());
  }
  return kFailure;
}
