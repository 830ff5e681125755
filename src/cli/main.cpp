// The program: one subcommand a file, errors in one line, exit codes 0, 1 (failure), 2 (usage), 130
// (interrupted), 141 (nobody reads stdout any more).
#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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
constexpr int kOutputClosed = 128 + SIGPIPE;  // As a shell tells of a program that SIGPIPE ended.

extern "C" void leave_at_once(int) {
  mla::remove_temporary_files();
  ::_exit(kInterrupted);
}

/// Ends as the signal does by itself, without leaving temporary files behind.
extern "C" void leave_by_signal(int signal) {
  mla::remove_temporary_files();
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

void say(const char* text) {
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
}

/// Memory ran out in a destructor, which must not throw: those of JSON values allocate. Anything else that ends here is our own
/// mistake.
[[noreturn]] void leave_without_memory() {
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    say("mla: error: out of memory\n");
    mla::remove_temporary_files();
    ::_exit(kFailure);
  } catch (...) {
  }
  std::abort();
}

/// SIGBUS: part of a mapped file cannot be read. It may come from any place in the engine and on any thread, so there is
/// nothing to go back to; the person is told and the program ends.
extern "C" void leave_without_page(int signal, siginfo_t* info, void*) {
  static std::atomic_flag told = ATOMIC_FLAG_INIT;
  const char* const name = mla::mapped_file_at(info->si_addr);
  if (name == nullptr) return leave_by_signal(signal);
  if (told.test_and_set())
    for (;;) ::pause();  // Another thread is about to end the process.
  say("mla: error: ");
  for (const char* at = name; *at != '\0'; ++at) {
    const char shown[] = {static_cast<unsigned char>(*at) < 0x20 || *at == 0x7f ? '?' : *at, '\0'};
    say(shown);
  }
  say(": cannot be read any more: has it become shorter?\n");
  mla::remove_temporary_files();
  ::_exit(kFailure);
}

/// A signal that whoever started the program wants ignored stays ignored.
void handle(int signal, void (*handler)(int)) {
  if (std::signal(signal, handler) == SIG_IGN) std::signal(signal, SIG_IGN);
}

void handle_signals() {
  handle(SIGINT, leave_at_once);
  for (const int signal : {SIGTERM, SIGHUP, SIGPIPE}) handle(signal, leave_by_signal);
  std::signal(SIGXFSZ, SIG_IGN);  // A write beyond the limit then fails, and says so.
  struct sigaction lost_page {};
  lost_page.sa_sigaction = leave_without_page;
  lost_page.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &lost_page, nullptr);
}

/// Whoever closed stdin, stdout or stderr must not have a file that is opened later in its place: messages would be written
/// into it. What is opened here can be neither read nor written.
void occupy_standard_streams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0)
      ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
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
  std::set_terminate(leave_without_memory);
  occupy_standard_streams();
  handle_signals();
  CLI::App app("mla: runs language models on the CPU, those with latent attention (DeepSeek) first of all",
               "mla");
  try {
    set_up(app);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? show(app, error) : complain(app, error, argc > 1 ? argv[1] : "");
  } catch (const mla::cli::OutputClosed&) {
    return kOutputClosed;
  } catch (const mla::Error& error) {
    std::fprintf(stderr, "mla: error: %s\n", error.what());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "mla: error: out of memory\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mla: error: %s\n", error.what());
  }
  return kFailure;
}
