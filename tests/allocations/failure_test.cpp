// Memory that runs out at any one allocation, on the way from the files to a token: std::bad_alloc or mla::Error, and
// afterwards everything works again.
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "allocations/counting_new.h"
#include "exhaustive/small_checkpoints.h"
#include "mla/error.h"
#include "mla/generator.h"
#include "mla/model.h"
#include "mla/session.h"
#include "mla/tokenizer.h"

using namespace mla;
using namespace small_checkpoints;

namespace {

std::vector<TokenId> generate_with(const std::filesystem::path& model, Precision precision, int threads) {
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(model);
  const auto loaded = Model::load(model, {.precision = precision, .threads = threads});
  Session session(loaded, {.threads = threads});
  const std::vector<TokenId> prompt = tokenizer->encode("ab cab");
  GenerateOptions options;
  options.max_tokens = 2;
  options.ignore_eos = true;
  options.sampler.temperature = 0.0;
  return generate(session, tokenizer, prompt, options, {}).ids;
}

/// How an attempt ended in which an allocation fails.
enum Ended { not_reached, thrown, in_destructor, wrong };

/// Lets allocation `number` fail, and tries again.
Ended attempt(const std::filesystem::path& model, Precision precision, int threads,
              const std::vector<TokenId>& expected, std::size_t number) {
  const std::size_t last = counting_new::allocations + number;
  counting_new::failing = last;
  bool failed = false;
  try {
    if (generate_with(model, precision, threads) != expected) return wrong;
  } catch (const std::bad_alloc&) {
    failed = true;
  } catch (const Error&) {
    failed = true;
  }
  if (counting_new::allocations < last) return failed ? wrong : not_reached;
  counting_new::failing = 0;
  return generate_with(model, precision, threads) == expected ? thrown : wrong;
}

[[noreturn]] void end_of_memory() {
  ::_exit(in_destructor);
}

/// The same in a process of its own. A destructor must not throw, and those of nlohmann's JSON values allocate: if that is what
/// fails, C++ ends the process in an orderly way, and the program says that memory is out.
int attempt_apart(const std::filesystem::path& model, Precision precision, int threads,
                  const std::vector<TokenId>& expected, std::size_t number) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);
    std::set_terminate(end_of_memory);
    ::_exit(attempt(model, precision, threads, expected, number));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void check(const std::string& name, const Files& files, Precision precision, int threads) {
  const ScratchFolder folder;
  for (const auto& [file, content] : files) folder.write(file, content);
  const std::filesystem::path model =
      files.size() == 1 ? folder.path() / files.begin()->first : folder.path();
  const std::vector<TokenId> expected = generate_with(model, precision, threads);
  std::map<int, std::size_t> counts;
  for (std::size_t number = 1; counts[not_reached] == 0; ++number) {
    const int ended = attempt_apart(model, precision, threads, expected, number);
    if (ended != not_reached && ended != thrown && ended != in_destructor)
      FAIL(name << ": allocation " << number << " failed, and the attempt ended with " << ended);
    ++counts[ended];
  }
  SUCCEED(name << ": " << counts[thrown] << " allocations, " << counts[in_destructor] << " in destructors");
  CHECK(counts[thrown] > 500);
}

}  // namespace

TEST_CASE("an allocation fails: a folder, exact") {
  check("Llama", llama_folder(), Precision::f32, 1);
  check("DeepSeek", deepseek_folder(), Precision::f32, 1);
}

TEST_CASE("an allocation fails: a folder, repacked, two threads") {
  check("Llama", llama_folder(), Precision::fast, 2);
  check("DeepSeek", deepseek_folder(), Precision::fast, 2);
}

TEST_CASE("an allocation fails: a GGUF file") {
  check("exact", gguf_file(), Precision::f32, 1);
  check("repacked", gguf_file(), Precision::fast, 2);
}
