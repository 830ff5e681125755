// mla encodings: the positional encodings by themselves.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/json.h"
#include "cli/command.h"
#include "lab/encoding_study.h"
#include "lab/encoding_study_charts.h"
#include "lab/encoding_study_json.h"
#include "lab/encoding_study_text.h"
#include "lab/svg.h"
#include "mla/error.h"
#include "model/model_parts.h"
#include "model/rope_config.h"

namespace mla::cli {
namespace {

constexpr std::size_t kUsualDims = 32;
constexpr std::size_t kUsualContext = 128;  ///< What the models of models/encodings were trained with.
constexpr double kLeastNumber = 1.0;
constexpr double kGreatestNumber = 1e12;

struct Options {
  std::vector<std::string> names;
  std::string positions = "0..63";
  std::size_t dims = 0;  ///< 0: the usual ones, or the model's.
  std::string model;
  std::string rope_type = "default";
  double theta = 10000.0;
  double factor = 1.0;
  std::size_t original_context = 0;
  std::string json;
  std::string csv;
  std::string svg;
  std::vector<CLI::Option*> rope_options = {};

  bool all() const { return names.empty() || std::find(names.begin(), names.end(), "all") != names.end(); }
  bool one() const { return names.size() == 1 && !all(); }
  bool to_files() const { return !json.empty() || !csv.empty() || !svg.empty(); }
  /// Else they are only listed.
  bool looks_at_some() const { return !names.empty() || to_files(); }
};

/// "0..63"
std::pair<std::size_t, std::size_t> parse_positions(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto read = [&](std::string_view digits) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    return whole && value <= kMostTokens ? std::optional(value) : std::nullopt;
  };
  if (dots != std::string_view::npos) {
    const auto first = read(text.substr(0, dots));
    const auto last = read(text.substr(dots + 2));
    if (first && last && *first <= *last) return {*first, *last};
  }
  throw CLI::ValidationError("--positions",
                             "found \"" + std::string(text) +
                                 "\", expected the first and the last position like 0..63, at most " +
                                 std::to_string(kMostTokens));
}

/// What the options say of RoPE, checked as a config.json is.
RopeScaling rope_of(const Options& options, std::size_t dims) {
  const std::size_t context = options.original_context == 0 ? kUsualContext : options.original_context;
  if (options.rope_type == "default") {
    RopeScaling rope;
    rope.theta = options.theta;
    return rope;
  }
  Json parameters = {{"rope_type", options.rope_type},
                     {"factor", options.factor},
                     {"original_max_position_embeddings", context}};
  // Llama 3.1's own bounds, which its configs write out.
  if (options.rope_type == "llama3")
    parameters.update(Json{{"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}});
  const Json config = {{"rope_theta", options.theta}, {"rope_scaling", std::move(parameters)}};
  return read_rope_scaling(JsonField(config, "options"), dims, context);
}

/// Sizes and settings of a checkpoint, or those that the options name.
class Source {
 public:
  explicit Source(const Options& options) : options_(options) {
    if (!options.model.empty()) model_ = Model::load(options.model, {.precision = Precision::f32});
  }

  lab::StudyRequest request(std::string_view name) {
    lab::StudyRequest request;
    std::tie(request.first, request.last) = parse_positions(options_.positions);
    if (model_ != nullptr) {
      request.settings = model_->parts().decoder.encoding;
      request.trained_context = trained_context(request.settings.rope);
    } else {
      if (name == "learned") request.settings = learned().parts().decoder.encoding;
      request.trained_context = options_.original_context == 0 ? kUsualContext : options_.original_context;
    }
    request.dims = options_.dims != 0 ? options_.dims : usual_dims(name, request.settings);
    if (model_ == nullptr && name.starts_with("rope"))
      request.settings.rope = rope_of(options_, request.dims);
    return request;
  }

 private:
  std::size_t trained_context(const RopeScaling& rope) const {
    if (options_.original_context != 0) return options_.original_context;
    return rope.original_max_position_embeddings != 0 ? rope.original_max_position_embeddings
                                                      : model_->info().max_context;
  }

  std::size_t usual_dims(std::string_view name, const EncodingSettings& settings) const {
    if (name == "learned" && settings.table) return settings.table->dims;
    if (model_ == nullptr) return kUsualDims;
    if (name.starts_with("rope")) return settings.rotary_dim;
    return name == "alibi" ? settings.num_heads : settings.hidden_size;
  }

  const Model& learned() {
    if (learned_ == nullptr)
      learned_ = Model::load(shipped_model("encodings/learned"), {.precision = Precision::f32});
    return *learned_;
  }

  const Options& options_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const Model> learned_;
};

std::vector<lab::EncodingStudy> studies_of(const Options& options) {
  Source source(options);
  std::vector<lab::EncodingStudy> studies;
  if (!options.all()) {
    std::set<std::string> seen;
    for (const std::string& name : options.names)
      if (seen.insert(name).second)
        studies.push_back(lab::study_encoding(encoding_named(name), source.request(name)));
    return studies;
  }
  for (const EncodingEntry* entry : encodings()) {
    try {
      studies.push_back(lab::study_encoding(*entry, source.request(entry->name)));
    } catch (
        const Error& error) {  // Not every model has a table, or a shipped one; the others are worth showing.
      if (error.code() == ErrorCode::argument) throw;
      std::fprintf(stderr, "mla: left out %s: %s\n", std::string(entry->name).c_str(), error.what());
    }
  }
  return studies;
}

lab::TerminalColor terminal_color() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (::isatty(STDOUT_FILENO) == 0 || !variable("NO_COLOR").empty() || variable("TERM") == "dumb")
    return lab::TerminalColor::none;
  const std::string depth = variable("COLORTERM");
  return depth == "truecolor" || depth == "24bit" ? lab::TerminalColor::direct : lab::TerminalColor::indexed;
}

void write_json(const Options& options, const std::vector<lab::EncodingStudy>& studies) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const lab::EncodingStudy& study : studies) json.push_back(lab::as_json(study));
  if (options.one()) json = nlohmann::ordered_json(json.front());
  write_text(options.json, json.dump() + "\n");
}

void write_pictures(const std::filesystem::path& folder, const std::vector<lab::EncodingStudy>& studies) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder))
    throw Error(ErrorCode::io, folder.string(), "", "cannot make a folder of this name for the pictures");
  for (const lab::EncodingStudy& study : studies)
    for (const lab::Picture& picture : lab::pictures_of(study))
      write_text((folder / (picture.name + ".svg")).string(), lab::stand_alone(picture.svg));
}

void check(const Options& options) {
  if (!options.csv.empty() && !options.one())
    throw CLI::ValidationError("--csv", "a table holds one encoding, expected exactly one --name");
  if (!options.model.empty() && !options.looks_at_some())
    throw CLI::ValidationError("-m", "found without --name or a file to write, expected one of them");
  if (options.json == "-" && options.csv == "-")
    throw CLI::ValidationError("--csv", "found - for --json as well, expected one of them to name a file");
  for (const CLI::Option* option : options.rope_options)
    if (!option->empty() && !options.model.empty())
      throw CLI::ValidationError(option->get_name(), "found with -m, expected to find it in the model");
  if (options.rope_type == "longrope")
    throw CLI::ValidationError("--rope-type",
                               "longrope has a factor for each pair, expected a model (-m) that has them");
}

void run(const Options& options) {
  check(options);
  if (!options.looks_at_some()) return print(lab::list_encodings());
  const std::vector<lab::EncodingStudy> studies = studies_of(options);
  if (!options.json.empty()) write_json(options, studies);
  if (!options.csv.empty()) write_text(options.csv, lab::as_csv(studies.front()));
  if (!options.svg.empty()) write_pictures(options.svg, studies);
  if (options.to_files()) return;
  std::string text;
  for (const lab::EncodingStudy& study : studies)
    text += (text.empty() ? "" : "\n") + as_text(study, terminal_color());
  print(text);
}

/// Refuses what is no finite number in the range, NaN too.
CLI::Validator number_in(double least, double greatest) {
  return CLI::Validator(
      [=](std::string& text) {
        double value = 0.0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool fits =
            error == std::errc() && end == text.data() + text.size() && value >= least && value <= greatest;
        char range[64];
        std::snprintf(range, sizeof range, "%g to %g", least, greatest);
        return fits ? std::string() : "found \"" + text + "\", expected a number from " + range;
      },
      "");
}

void add_rope_options(CLI::App& command, Options& options) {
  options.rope_options = {
      command.add_option("--theta", options.theta, "RoPE's base")
          ->type_name("X")
          ->check(number_in(kLeastNumber, kGreatestNumber))
          ->capture_default_str(),
      command
          .add_option("--rope-type", options.rope_type,
                      "RoPE's rescaling: default, linear, dynamic, yarn, llama3")
          ->type_name("TYPE")
          ->check(
              CLI::IsMember({"default", "linear", "dynamic", "yarn", "llama3", "longrope"}).description(""))
          ->capture_default_str(),
      command.add_option("--factor", options.factor, "How many times longer the context is to become")
          ->type_name("X")
          ->check(number_in(kLeastNumber, kGreatestNumber))
          ->capture_default_str()};
  command
      .add_option("--original-context", options.original_context,
                  "Tokens of the trained context (default: the model's, else 128)")
      ->type_name("N")
      ->check(whole_number(1, kMostTokens));
}

}  // namespace

void add_encodings(CLI::App& app) {
  CLI::App* command = app.add_subcommand("encodings", "Look at the positional encodings by themselves");
  const auto options = std::make_shared<Options>();
  std::vector<std::string> names = {"all"};
  for (const EncodingEntry* entry : encodings()) names.emplace_back(entry->name);
  command->add_option("--name", options->names, "Encoding to look at, or all: " + encoding_names())
      ->type_name("NAME")
      ->take_all()
      ->check(CLI::IsMember(names).description(""));
  command->add_option("--positions", options->positions, "First and last position")
      ->type_name("A..B")
      ->capture_default_str();
  command
      ->add_option(
          "--dims", options->dims,
          "Values of a position, for alibi heads (default: the model's or the learned table's, else 32)")
      ->type_name("N")
      ->check(whole_number(1, lab::kMostStudyValues));
  command
      ->add_option("-m,--model", options->model,
                   "Model (folder or GGUF file) for its learned table, RoPE settings and sizes (default: "
                   "none; learned "
                   "takes the table of the shipped models/encodings/learned)")
      ->type_name("PATH");
  add_rope_options(*command, *options);
  command->add_option("--json", options->json, "Write numbers and values as JSON (- for stdout)")
      ->type_name("FILE");
  command->add_option("--csv", options->csv, "Write the values of one encoding as a table (- for stdout)")
      ->type_name("FILE");
  command
      ->add_option("--svg", options->svg,
                   "Write pictures NAME-values.svg, NAME-distance.svg, ... to this folder")
      ->type_name("DIR");
  command->footer("Example:\n  mla encodings --name binary --name sinusoidal --positions 0..255");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
