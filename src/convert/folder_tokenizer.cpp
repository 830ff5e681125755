// tokenizer.json to tokenizer.ggml.*: the keys and the kinds of tokenizers are those of src/llama-vocab.cpp in
// https://github.com/ggml-org/llama.cpp.
#include "convert/folder_tokenizer.h"

#include <memory>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "convert/folder.h"
#include "mla/error.h"
#include "mla/tokenizer.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/gguf_vocabulary.h"
#include "tokenizer/quote.h"

namespace mla {
namespace {

constexpr std::size_t kMostTemplateBytes = std::size_t{1} << 24;

bool exists_in(const std::filesystem::path& folder, const char* name) {
  std::error_code ignored;
  return std::filesystem::exists(folder / name, ignored);
}

/// A token of tokenizer_config.json: its text, or an object with it.
std::optional<std::string> token_text(const JsonField& config, const char* key) {
  const auto field = config.find(key);
  if (!field) return std::nullopt;
  return field->json().is_object() ? field->get("content").as_string() : field->as_string();
}

/// The template that a model of one template has under `chat_template`, or the one named "default" of several.
std::optional<std::string> template_in(const JsonField& config) {
  const auto field = config.find("chat_template");
  if (!field) return std::nullopt;
  if (!field->json().is_array()) return field->as_string();
  for (std::size_t i = 0; i < field->array_size(); ++i)
    if (const JsonField one = field->element(i); one.get("name").as_string() == "default")
      return one.get("template").as_string();
  return std::nullopt;
}

class Describer {
 public:
  Describer(const ModelSource& source, std::filesystem::path folder, GgufMetadata& metadata)
      : source_(source),
        folder_(std::move(folder)),
        metadata_(metadata),
        tokenizer_(Tokenizer::load(folder_)) {
    if (exists_in(folder_, "tokenizer_config.json"))
      config_ = read_json_file(folder_ / "tokenizer_config.json");
  }

  void describe() {
    add_special_ids();
    add_markers();
    std::optional<std::string> chat;
    if (exists_in(folder_, "chat_template.jinja"))
      chat = read_file(folder_ / "chat_template.jinja", kMostTemplateBytes);
    else
      chat = template_in(config());
    if (chat) metadata_.add_string("tokenizer.chat_template", *chat);
  }

 private:
  JsonField config() const { return {config_, (folder_ / "tokenizer_config.json").string()}; }

  std::optional<TokenId> configured(const char* key) const {
    const auto text = token_text(config(), key);
    return text ? tokenizer_->id_of(*text) : std::nullopt;
  }

  void add_id(const std::string& what, std::optional<TokenId> id) {
    if (id) metadata_.add_uint32("tokenizer.ggml." + what + "_token_id", static_cast<std::uint32_t>(*id));
  }

  void add_special_ids() {
    const GenerationConfig& generation = source_.generation;
    bos_ = configured("bos_token");
    if (!bos_) bos_ = generation.bos_token_id;
    eos_ = configured("eos_token");
    std::vector<TokenId> ends = generation.eos_token_ids;
    if (!eos_ && !ends.empty()) eos_ = ends.front();
    add_id("bos", bos_);
    add_id("eos", eos_);
    add_id("unknown", configured("unk_token"));
    add_id("padding", configured("pad_token"));
    // Other ids at which generation is to end; GGUF has room for two.
    std::erase_if(ends, [&](TokenId id) { return id == eos_; });
    if (!ends.empty()) add_id("eot", ends[0]);
    if (ends.size() > 1) add_id("eom", ends[1]);
  }

  /// What encoding puts around a text: BOS, EOS, both or nothing.
  void add_markers() {
    const std::vector<TokenId> around = tokenizer_->encode("");
    const bool begins = !around.empty() && around.front() == bos_;
    const bool ends = around.size() == (begins ? 2U : 1U) && around.back() == eos_;
    if (around.size() != (begins ? 1U : 0U) + (ends ? 1U : 0U))
      throw Error(ErrorCode::unsupported, (folder_ / "tokenizer.json").string(), "post_processor",
                  "found " + std::to_string(around.size()) +
                      " tokens around a text, GGUF has a form for BOS and EOS only");
    metadata_.add_bool("tokenizer.ggml.add_bos_token", begins);
    metadata_.add_bool("tokenizer.ggml.add_eos_token", ends);
  }

  const ModelSource& source_;
  std::filesystem::path folder_;
  GgufMetadata& metadata_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  Json config_ = Json::object();
  std::optional<TokenId> bos_;
  std::optional<TokenId> eos_;
};

/// A byte of byte fallback: "<0x0A>".
bool is_byte_token(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return text.size() == 6 && text.starts_with("<0x") && text[5] == '>' &&
         kDigits.find(text[3]) != std::string_view::npos && kDigits.find(text[4]) != std::string_view::npos;
}

}  // namespace

TokenList::TokenList(const TokenizerDocument& document, const std::string& file, std::size_t vocab_size,
                     bool byte_fallback)
    : texts(vocab_size), types(vocab_size, static_cast<std::int32_t>(GgufTokenType::unused)) {
  for (std::size_t id = 0; id < vocab_size; ++id) texts[id] = "[PAD" + std::to_string(id) + "]";
  const auto put = [&](TokenId id, std::string_view text, GgufTokenType kind) {
    if (static_cast<std::size_t>(id) >= vocab_size)
      throw Error(ErrorCode::mismatch, file, "",
                  "found " + quote(text) + " with id " + std::to_string(id) +
                      ", expected ids below the model's vocab_size " + std::to_string(vocab_size));
    texts[static_cast<std::size_t>(id)] = text;
    types[static_cast<std::size_t>(id)] = static_cast<std::int32_t>(kind);
  };
  const Vocabulary& vocabulary = *document.vocabulary;
  for (TokenId id = 0; id < vocabulary.end_id(); ++id)
    if (vocabulary.has(id))
      put(id, vocabulary.text(id),
          byte_fallback && is_byte_token(vocabulary.text(id)) ? GgufTokenType::byte : GgufTokenType::normal);
  const JsonField root(document.rest, file);
  const auto field = root.find("added_tokens");
  if (!field) return;
  const std::vector<AddedToken> added = read_added_tokens(*field, document.end_of_ids);
  for (std::size_t i = 0; i < added.size(); ++i) {
    if (added[i].single_word || added[i].lstrip || added[i].rstrip)
      field->element(i).unsupported("found single_word, lstrip or rstrip in " + quote(added[i].content) +
                                    ", for which GGUF has no form");
    put(added[i].id, added[i].content,
        added[i].special ? GgufTokenType::control : GgufTokenType::user_defined);
  }
}

void describe_tokenizer(const ModelSource& source, std::size_t vocab_size, GgufMetadata& metadata) {
  const std::filesystem::path folder = source.path;
  if (!exists_in(folder, "tokenizer.json")) {
    metadata.add_string("tokenizer.ggml.model", "none");
    return;
  }
  const std::filesystem::path path = folder / "tokenizer.json";
  Describer describer(source, folder, metadata);  // Loads the tokenizer: its file is known to be sound.
  const TokenizerDocument document = read_tokenizer_document(path);
  const JsonField root(document.rest, path.string());
  const auto byte_fallback = root.get("model").find("byte_fallback");
  if (byte_fallback && byte_fallback->as_bool())
    describe_scored_tokenizer(document, path.string(), vocab_size, metadata);
  else
    describe_byte_level_tokenizer(document, path.string(), vocab_size, metadata);
  describer.describe();
}

}  // namespace mla
