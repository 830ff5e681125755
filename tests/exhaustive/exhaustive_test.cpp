// Every truncation and every flip of a bit of every file of small models: each is refused with an mla::Error, or is a model
// that generates (or computes something that is no number, and says so). `mla_exhaustive_tests -s` shows the counts.
#include <catch2/catch.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "mla/error.h"
#include "mla/generator.h"
#include "mla/model.h"
#include "mla/session.h"
#include "mla/tokenizer.h"
#include "small_checkpoints.h"
#include "unit/base/scratch_folder.h"

using namespace mla;
using namespace small_checkpoints;

namespace {

constexpr std::size_t kMostBytes = 4096;

struct Counts {
  std::size_t inputs = 0;
  std::size_t generated = 0;
  std::size_t not_finite = 0;
};

/// What is wrong with an error, or nothing: it names a file, in one line.
std::string fault_of(const Error& error) {
  const std::string line = error.what();
  if (error.file().empty()) return "names no file: " + line;
  if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    return "more than a line: " + line;
  if (line.size() > 2000) return "a long line: " + line;
  return "";
}

/// Runs `use`; what it ended in goes into `counts`. Returns what is wrong with that, or nothing.
std::string attempt(const std::function<void()>& use, Counts& counts) {
  ++counts.inputs;
  try {
    use();
    ++counts.generated;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::numeric) ++counts.not_finite;
    return fault_of(error);
  } catch (const std::exception& error) {
    return std::string("not an mla::Error: ") + error.what();
  }
  return "";
}

/// Everything from the files to a token.
void generate_with(const std::filesystem::path& model, Precision precision) {
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(model);
  const auto loaded = Model::load(model, {.precision = precision, .threads = 1});
  Session session(loaded, {.threads = 1});
  const std::vector<TokenId> prompt = tokenizer->encode("ab cab");
  GenerateOptions options;
  options.max_tokens = 1;
  options.sampler.temperature = 0.0;
  const GenerateResult result = generate(session, tokenizer, prompt, options, {});
  if (result.ids.size() != 1 || result.ids[0] < 0 ||
      static_cast<std::size_t>(result.ids[0]) >= loaded->info().vocab_size)
    throw std::logic_error("no token of the vocabulary");
}

void tokenize_with(const std::filesystem::path& file) {
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(file);
  std::string text = "ab cab <s></s>B";
  text += "\xC3\xA9\xE2\x96\x81";
  tokenizer->decode(tokenizer->encode(text), false);
}

/// Writes every truncation and every flip of `whole` into `file` and lets `use` read it.
Counts try_all(const std::filesystem::path& file, const std::string& whole,
               const std::function<void()>& use) {
  Counts counts;
  const auto try_one = [&](const std::string& content, const std::function<std::string()>& what) {
    std::filesystem::remove(file);  // Not rewritten: some file systems then wait for the disk.
    std::ofstream(file, std::ios::binary) << content;
    const std::string fault = attempt(use, counts);
    if (!fault.empty()) FAIL(file.filename().string() << " " << what() << ": " << fault);
  };
  for (std::size_t length = 0; length < whole.size(); ++length)
    try_one(whole.substr(0, length), [&] { return "cut to " + std::to_string(length) + " bytes"; });
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      try_one(changed, [&] { return "with bit " + std::to_string(bit) + " of byte " + std::to_string(at); });
    }
  std::ofstream(file, std::ios::binary | std::ios::trunc) << whole;
  return counts;
}

void report(const std::string& name, const Counts& counts) {
  const std::size_t refused = counts.inputs - counts.generated - counts.not_finite;
  SUCCEED(name << ": " << counts.inputs << " inputs, " << refused << " refused, " << counts.generated
               << " generate, " << counts.not_finite << " not finite");
  CHECK(refused > counts.inputs / 10);
  CHECK(counts.generated > 0);
}

/// All of that with `changed` of the model that `files` are.
void try_file(const Files& files, const std::string& changed, Precision precision) {
  REQUIRE(files.at(changed).size() <= kMostBytes);
  const ScratchFolder folder;
  for (const auto& [name, content] : files) folder.write(name, content);
  const bool single = files.size() == 1;
  const std::filesystem::path model = single ? folder.path() / changed : folder.path();
  generate_with(model, precision);  // What is spoilt below is right.
  report(changed,
         try_all(folder.path() / changed, files.at(changed), [&] { generate_with(model, precision); }));
  generate_with(model, precision);
}

}  // namespace

TEST_CASE("every truncation and bit flip of a Llama's config.json", "[config]") {
  try_file(llama_folder(), "config.json", Precision::f32);
}

TEST_CASE("every truncation and bit flip of a DeepSeek's config.json", "[config]") {
  try_file(deepseek_folder(), "config.json", Precision::fast);
}

TEST_CASE("every truncation and bit flip of a generation_config.json and a tokenizer_config.json",
          "[config]") {
  try_file(llama_folder(), "generation_config.json", Precision::f32);
  try_file(llama_folder(), "tokenizer_config.json", Precision::f32);
}

TEST_CASE("every truncation and bit flip of a safetensors file", "[safetensors]") {
  try_file(llama_folder(), "model.safetensors", Precision::f32);
}

TEST_CASE("every truncation and bit flip of a safetensors file, repacked", "[safetensors]") {
  try_file(llama_folder(), "model.safetensors", Precision::fast);
}

TEST_CASE("every truncation and bit flip of shards and their index", "[safetensors]") {
  for (const char* name : {"model.safetensors.index.json", "a.safetensors", "b.safetensors"})
    try_file(deepseek_folder(), name, Precision::f32);
}

TEST_CASE("every truncation and bit flip of a tokenizer.json", "[tokenizer]") {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.write("tokenizer.json", tokenizer_json());
  tokenize_with(file);
  report("tokenizer.json", try_all(file, tokenizer_json(), [&] { tokenize_with(file); }));
}

TEST_CASE("every truncation and bit flip of a GGUF file", "[gguf]") {
  try_file(gguf_file(), "model.gguf", Precision::f32);
}

TEST_CASE("every truncation and bit flip of a GGUF file, repacked", "[gguf]") {
  try_file(gguf_file(), "model.gguf", Precision::fast);
}

TEST_CASE("every truncation and bit flip of a GGUF file's vocabulary of scores", "[gguf][tokenizer]") {
  const ScratchFolder folder;
  const std::string whole = scored_gguf_tokenizer();
  const std::filesystem::path file = folder.write("model.gguf", whole);
  tokenize_with(file);
  report("vocabulary of scores", try_all(file, whole, [&] { tokenize_with(file); }));
}
