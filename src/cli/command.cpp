#include "cli/command.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <limits>
#include <span>

#include "base/progress.h"
#include "base/thread_pool.h"
#include "mla/error.h"
#include "positional/registry.h"

namespace mla::cli {
namespace {

constexpr std::size_t kMostText = std::size_t{1} << 32;

bool is_separator(char c) {
  return std::string_view(", \t\r\n").find(c) != std::string_view::npos;
}

/// What -m is where it is not given.
std::filesystem::path default_model() {
  if (const char* named = std::getenv("MLA_MODEL"); named != nullptr && *named != '\0') return named;
  return shipped_model("stories");
}

}  // namespace

std::filesystem::path shipped_model(const std::string& name) {
  const std::filesystem::path place = std::filesystem::path("models") / name;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path installed = program.parent_path().parent_path() / "share" / "mla" / place;
  const std::filesystem::path beside_build = program.parent_path().parent_path() / place;
  const std::filesystem::path in_source = std::filesystem::path(MLA_SOURCE_DIR) / place;
  for (const std::filesystem::path& folder : {installed, beside_build, in_source})
    if (std::filesystem::is_directory(folder, error)) return folder;
  throw Error(ErrorCode::io, "", "model",
              "found no shipped model at " + installed.string() + ", " + beside_build.string() + " or " +
                  in_source.string() + "; name one with -m or MLA_MODEL");
}

void ModelOptions::add_model(CLI::App& command) {
  command
      .add_option("-m,--model", model,
                  "Model: a folder or a GGUF file (default: the shipped models/stories, or $MLA_MODEL)")
      ->type_name("PATH")
      ->check(CLI::Validator(
          [](std::string& path) {
            return path.empty() ? std::string("found an empty name, expected a path") : std::string();
          },
          ""));
}

void ModelOptions::add_position_encoding(CLI::App& command) {
  std::vector<std::string> names;
  for (const EncodingEntry* entry : encodings()) names.emplace_back(entry->name);
  command
      .add_option("--position-encoding", position_encoding,
                  "Exchange the model's positional encoding, as an experiment: " + encoding_names())
      ->type_name("NAME")
      ->check(CLI::IsMember(names).description(""));
}

void ModelOptions::add_precision(CLI::App& command) {
  const std::vector<std::string> names{std::string(to_string(Precision::f32)),
                                       std::string(to_string(Precision::fast))};
  command
      .add_option(
          "--precision", precision,
          "Activations and sums: fast (rounded to what the processor multiplies best), or f32 (exact)")
      ->type_name("fast|f32")
      ->check(CLI::IsMember(names).description(""))
      ->capture_default_str();
}

void ModelOptions::add_all(CLI::App& command) {
  add_model(command);
  add_position_encoding(command);
  command.add_option("--first-position", first_position, "Position of the first token")
      ->type_name("K")
      ->check(whole_number(0, kMostTokens))
      ->capture_default_str();
  command.add_flag("--extrapolate", extrapolate,
                   "Go on beyond the context the model was made for, as far as its encoding is defined");
  command.add_option("-t,--threads", threads, "Threads (default: physical cores)")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
  command.add_option("--batch", batch, "Most tokens computed at once in prefill")
      ->type_name("N")
      ->check(whole_number(1, std::uint64_t{1} << 20))
      ->capture_default_str();
  command.add_option("-c,--context", context, "Most tokens kept (default: what the model has positions for)")
      ->type_name("N")
      ->check(whole_number(1, kMostTokens));
  add_precision(command);
  command
      .add_option("--quantize", quantize,
                  "Quantize matrices of floats while loading: q8_0, q4_0 or q4_k (with --precision fast)")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"q8_0", "q4_0", "q4_k"}).description(""));
}

std::filesystem::path ModelOptions::path() const {
  return model.empty() ? default_model() : std::filesystem::path(model);
}

std::shared_ptr<const Model> ModelOptions::load(bool describe_only) const {
  ProgressBar bar("repacking (bytes)");
  auto loaded = Model::load(
      path(), {.precision = precision_named(precision),
               .position_encoding = position_encoding,
               .quantize = quantize,
               .describe_only = describe_only,
               .threads = threads,
               .progress = [&](std::size_t done, std::size_t total) { bar.update(done, total); }});
  bar.clear();
  const ModelInfo& info = loaded->info();
  if (info.position_encoding != info.trained_position_encoding)
    std::fprintf(stderr, "mla: position encoding exchanged: %s instead of %s, with which %s was trained\n",
                 info.position_encoding.c_str(), info.trained_position_encoding.c_str(), info.path.c_str());
  return loaded;
}

SessionOptions ModelOptions::session_options() const {
  return {.threads = threads,
          .batch = batch,
          .context = context,
          .attention = AttentionPath::automatic,
          .first_position = first_position,
          .extrapolate = extrapolate};
}

void PromptOptions::add(CLI::App& command, bool with_file) {
  CLI::Option_group* group = command.add_option_group("Prompt");
  text_option = group->add_option("-p,--prompt", text, "Text to start from")->type_name("TEXT");
  if (with_file)
    group->add_option("-f,--file", file, "File with the text to start from (- for stdin)")->type_name("FILE");
  ids_option =
      group->add_option("--ids", ids, "Token ids to start from; needs no tokenizer")->type_name("1,2,3");
  group->require_option(0, 1);
}

std::vector<TokenId> PromptOptions::tokens(const Tokenizer* tokenizer) const {
  if (is_ids()) return parse_ids(ids);
  std::vector<TokenId> tokens = tokenizer->encode(file.empty() ? text : read_text(file));
  // One BOS only: a prompt that writes out its own, as chat templates do, does not get another.
  if (tokens.size() > 1 && tokens[0] == tokens[1] && tokenizer->is_special(tokens[0]))
    tokens.erase(tokens.begin());
  return tokens;
}

std::vector<TokenId> parse_ids(std::string_view text) {
  std::vector<TokenId> ids;
  const char* next = text.data();
  const char* const end = text.data() + text.size();
  const auto skip_separators = [&] {
    while (next != end && is_separator(*next)) ++next;
  };
  for (skip_separators(); next != end; skip_separators()) {
    TokenId id = 0;
    const auto [rest, error] = std::from_chars(next, end, id);
    if (error != std::errc() || id < 0 || (rest != end && !is_separator(*rest)))
      throw Error(
          ErrorCode::argument, "", "ids",
          "found \"" + std::string(next, std::min(end, next + 20)) + "\", expected token ids like 1,2,3");
    ids.push_back(id);
    next = rest;
  }
  return ids;
}

std::string read_text(const std::string& file) {
  if (file != "-") return read_file(file, kMostText);
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

CLI::Validator whole_number(std::uint64_t least, std::uint64_t greatest) {
  const std::string range = std::to_string(least) + " to " + std::to_string(greatest);
  return CLI::Validator(
      [=](std::string& text) {
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool fits =
            error == std::errc() && end == text.data() + text.size() && value >= least && value <= greatest;
        return fits ? std::string() : "found \"" + text + "\", expected a whole number from " + range;
      },
      "");
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw OutputClosed();
  throw Error(ErrorCode::io, "stdout", "", std::string("cannot write: ") + std::strerror(errno));
}

Output::Output(const std::string& file) : to_stdout_(file == "-") {
  if (!file.empty() && !to_stdout_) file_.emplace(file);
}

void Output::write(std::string_view text) {
  if (to_stdout_) return print(text);
  file_->write(std::as_bytes(std::span(text)));
  file_->commit();
}

void write_text(const std::string& file, std::string_view text) {
  Output(file).write(text);
}

}  // namespace mla::cli
