// The program: one subcommand a file, errors in one line, exit codes 0, 1 (failure), 2 (usage), 130
// (interrupted).
#include <CLI/CLI.hpp>

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/command.h"
#include "mla/error.h"
#include "mla/version.h"

namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 2;
constexpr int kInterrupted = 130;

extern "C" void leave_at_once(int) {
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
  mla::cli::add_inspect(app);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, leave_at_once);
  CLI::App app("mla: runs DeepSeek-style language models on the CPU", "mla");
  try {
    set_up(app);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  } catch (const mla::Error& error) {
    std::fprintf(stderr, "mla: error: %s\n", error.what());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "mla: error: out of memory\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mla: error: %s\n", error.what());
  }
  return kFailure;
}
