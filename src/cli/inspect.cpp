// mla inspect: what a checkpoint is and what it will need.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/escape.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "runtime/vocabularies.h"

namespace mla::cli {
namespace {

struct Options {
  ModelOptions model;
  bool json = false;
  std::size_t context = 0;
};

/// What `generate` will have in memory with `context` tokens kept and the default batch and threads: the
/// weights (pages of the mapped files, once touched), the cache, the activations of a batch and each thread's
/// scratch.
std::size_t estimated_memory(const ModelInfo& info, std::size_t context) {
  const std::size_t threads = static_cast<std::size_t>(default_thread_count());
  return info.weight_bytes + context * info.cache_bytes_per_token +
         std::min(context, SessionOptions{}.batch) * info.activation_bytes_per_token +
         threads * context * info.scratch_bytes_per_token;
}

std::string human(std::size_t bytes) {
  const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024.0 && unit < 4; ++unit) value /= 1024.0;
  char text[64];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.2f %s", value, units[unit]);
  return text;
}

std::string tokenizer_line(const Model& model) {
  if (!model.info().tokenizer) return "none";
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(model.info().path);
  check_vocabulary(*tokenizer, model);
  return tokenizer->describe();
}

std::string as_json(const ModelInfo& info, const std::string& tokenizer, std::size_t context) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  json["path"] = info.path;
  json["format"] = info.format;
  if (!info.file_type.empty()) json["file_type"] = info.file_type;
  json["architecture"] = info.architecture;
  json["precision"] = to_string(info.precision);
  // Objects before they have keys: where memory runs out a null would become half an object.
  for (const char* key : {"dimensions", "features"}) json[key] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : info.dimensions) json["dimensions"][name] = value;
  for (const auto& [name, value] : info.features) json["features"][name] = value;
  json["parameters"] = {{"total", info.parameters}, {"active", info.active_parameters}};
  json["dtypes"] = nlohmann::ordered_json::object();
  for (const auto& [name, use] : info.dtypes)
    json["dtypes"][name] = {{"tensors", use.tensors}, {"bytes", use.bytes}};
  json["weight_bytes"] = info.weight_bytes;
  json["kv_cache_bytes_per_token"] = {{"full", info.full_cache_bytes_per_token}};
  json["kv_cache_bytes_per_token"][info.cache_kind] = info.cache_bytes_per_token;
  json["tokenizer"] = tokenizer;
  json["chat_template"] = info.chat_template;
  json["memory"] = {{"context", context}, {"estimated_bytes", estimated_memory(info, context)}};
  json["ignored_tensors"] = info.ignored_tensors;
  json["ignored_config"] = info.ignored_config;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void add_row(std::string& text, const std::string& name, const std::string& value) {
  constexpr std::size_t kLongest = 4000;
  text += name + std::string(name.size() < 26 ? 26 - name.size() : 1, ' ');
  append_escaped(text, value, kLongest);
  text += "\n";
}

std::string as_text(const ModelInfo& info, const std::string& tokenizer, std::size_t context) {
  std::string text;
  add_row(text, "model", info.path);
  add_row(text, "format", info.format + (info.file_type.empty() ? "" : ", mostly " + info.file_type));
  add_row(text, "architecture", info.architecture);
  add_row(text, "precision", std::string(to_string(info.precision)));
  for (const auto& [name, value] : info.features) add_row(text, name, value);
  for (const auto& [name, value] : info.dimensions) add_row(text, name, std::to_string(value));
  add_row(text, "parameters",
          std::to_string(info.parameters) + " (" + std::to_string(info.active_parameters) +
              " active for a token)");
  for (const auto& [name, use] : info.dtypes)
    add_row(text, "weights " + name, std::to_string(use.tensors) + " tensors, " + human(use.bytes));
  add_row(text, "KV cache per token",
          info.cache_kind == "full"
              ? std::to_string(info.cache_bytes_per_token) + " bytes, full keys and values"
              : std::to_string(info.cache_bytes_per_token) + " bytes " + info.cache_kind + " (" +
                    std::to_string(info.full_cache_bytes_per_token) + " as full keys and values)");
  add_row(text, "tokenizer", tokenizer);
  add_row(text, "chat template", info.chat_template ? "yes" : "none");
  add_row(text, "memory",
          human(estimated_memory(info, context)) + " at a context of " + std::to_string(context));
  if (!info.ignored_tensors.empty())
    add_row(text, "ignored tensors",
            std::to_string(info.ignored_tensors.size()) + ", first " + info.ignored_tensors.front());
  std::string keys;
  for (const std::string& key : info.ignored_config) keys += (keys.empty() ? "" : ", ") + key;
  if (!keys.empty())
    add_row(text, info.format == "safetensors" ? "config keys not used" : "metadata not used", keys);
  return text;
}

void run(const Options& options) {
  const std::shared_ptr<const Model> model = options.model.describe();
  const ModelInfo& info = model->info();
  const std::size_t context = options.context == 0 ? info.max_context : options.context;
  const std::string tokenizer = tokenizer_line(*model);
  print(options.json ? as_json(info, tokenizer, context) : as_text(info, tokenizer, context));
}

}  // namespace

void add_inspect(CLI::App& app) {
  CLI::App* command = app.add_subcommand("inspect", "Show what a checkpoint is and what it needs");
  const auto options = std::make_shared<Options>();
  options->model.add_model(*command);
  options->model.add_position_encoding(*command);
  options->model.add_precision(*command);
  command
      ->add_option("-c,--context", options->context, "Context for the memory estimate (default: the model's)")
      ->type_name("N")
      ->check(whole_number(1, kMostTokens));
  command->add_flag("--json", options->json, "As JSON");
  command->footer("Example:\n  mla inspect -m models/stories");
  command->callback([options] { run(*options); });
}

}  // namespace mla::cli
