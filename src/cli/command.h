// What the subcommands share: options that mean the same everywhere, and output that notices when it is not
// written.
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "mla/model.h"
#include "mla/session.h"
#include "mla/tokenizer.h"

namespace mla::cli {

/// -m, -t, --batch, -c, --precision, --position-encoding, --first-position, --extrapolate.
struct ModelOptions {
  std::string model;
  int threads = 0;
  std::size_t batch = 512;
  std::size_t context = 0;
  std::string precision{to_string(LoadOptions{}.precision)};
  std::string quantize;
  std::string position_encoding;
  std::size_t first_position = 0;
  bool extrapolate = false;

  void add_model(CLI::App& command);
  void add_position_encoding(CLI::App& command);
  void add_precision(CLI::App& command);
  void add_all(CLI::App& command);

  /// The folder or file -m names, else $MLA_MODEL, else the shipped models/stories. Throws Error(io) if there is none.
  std::filesystem::path path() const;
  /// Says on stderr so if another encoding than the checkpoint's own is in use.
  std::shared_ptr<const Model> load() const { return load(false); }
  /// For looking at it only; see LoadOptions::describe_only.
  std::shared_ptr<const Model> describe() const { return load(true); }
  SessionOptions session_options() const;

 private:
  std::shared_ptr<const Model> load(bool describe_only) const;
};

/// -p, -f, --ids: exactly one, or none.
struct PromptOptions {
  std::string text;
  std::string file;
  std::string ids;
  CLI::Option* text_option = nullptr;
  CLI::Option* ids_option = nullptr;

  void add(CLI::App& command, bool with_file);
  bool given() const { return !text_option->empty() || !ids_option->empty() || !file.empty(); }
  bool is_ids() const { return !ids_option->empty(); }

  /// The prompt's tokens. `tokenizer` may be null if is_ids().
  std::vector<TokenId> tokens(const Tokenizer* tokenizer) const;
};

inline constexpr std::uint64_t kMostTokens = std::uint64_t{1} << 31;

/// Refuses what is not a decimal number in the range: CLI11 itself would let "-1" wrap around.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t greatest);

/// "1,2,3" (commas or white space). Throws Error(argument) at what is not a token id.
std::vector<TokenId> parse_ids(std::string_view text);

/// Reads a text file, or stdin if the name is "-".
std::string read_text(const std::string& file);

/// The folder of a model that comes with mla, models/`name`: in the install prefix, beside the build folder or in the
/// source tree of this program. Throws Error(io) if there is none.
std::filesystem::path shipped_model(const std::string& name);

/// A file, or stdout if its name is "-". A file is opened at once, so that one that cannot be written is
/// noticed before the work begins, and holds all of the text or is left as it was.
class Output {
 public:
  /// An empty name: nothing is wanted.
  explicit Output(const std::string& file);
  bool wanted() const { return to_stdout_ || file_.has_value(); }
  bool to_stdout() const { return to_stdout_; }
  void write(std::string_view text);

 private:
  bool to_stdout_;
  std::optional<AtomicFile> file_;
};

/// Writes to an Output of that name.
void write_text(const std::string& file, std::string_view text);

/// Writes to stdout at once. Throws Error(io) if that fails (disk full); a closed pipe ends the program
/// quietly.
void print(std::string_view text);

/// Nobody reads stdout any more, and the program was started so that no signal ends it then. There is nothing to say.
struct OutputClosed {};

void add_bench(CLI::App& app);
void add_compare(CLI::App& app);
void add_encodings(CLI::App& app);
void add_generate(CLI::App& app);
void add_inspect(CLI::App& app);
void add_logits(CLI::App& app);
void add_perplexity(CLI::App& app);
void add_quantize(CLI::App& app);
void add_tokenize(CLI::App& app);

}  // namespace mla::cli
