// Memory that runs out at any one allocation, on the way from the files to a token: std::bad_alloc or mla::Error, and what was
// made before is given back. Afterwards everything works again.
#include <catch2/catch.hpp>

#include <memory>
#include <new>
#include <string>

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

/// Lets every allocation fail once; returns how many there are.
std::size_t fail_each(const Files& files, Precision precision, int threads) {
  const ScratchFolder folder;
  for (const auto& [name, content] : files) folder.write(name, content);
  const std::filesystem::path model =
      files.size() == 1 ? folder.path() / files.begin()->first : folder.path();
  const std::vector<TokenId> expected = generate_with(model, precision, threads);
  for (std::size_t number = 1;; ++number) {
    const std::size_t last = counting_new::allocations + number;
    counting_new::failing = last;
    std::string ended;
    try {
      const std::vector<TokenId> ids = generate_with(model, precision, threads);
      ended = ids == expected ? "right" : "other tokens";
    } catch (const std::bad_alloc&) {
      ended = "bad_alloc";
    } catch (const Error& error) {
      ended = std::string("Error: ") + error.what();
    } catch (const std::exception& error) {
      ended = std::string("exception: ") + error.what();
    }
    counting_new::failing = 0;
    const bool reached = counting_new::allocations >= last;
    INFO("allocation " << number << " failed: " << ended);
    REQUIRE(!ended.starts_with("exception: "));
    REQUIRE(ended != "other tokens");
    if (reached) continue;
    REQUIRE(ended == "right");
    REQUIRE(generate_with(model, precision, threads) == expected);
    return number - 1;
  }
}

void check(const std::string& name, const Files& files, Precision precision, int threads) {
  const std::size_t count = fail_each(files, precision, threads);
  SUCCEED(name << ": " << count << " allocations");
  CHECK(count > 500);
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
