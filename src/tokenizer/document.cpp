#include "tokenizer/document.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_builder.h"
#include "base/json_text.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 28;
constexpr std::size_t kMostMerges = std::size_t{1} << 26;
constexpr std::size_t kIdsOfAnyFile =
    std::size_t{1} << 16;  // Beyond these an id needs a byte of the file; a token takes more.

// Of what is neither vocabulary nor merges, in memory. Gemma's 6,000 added tokens take some 8 MB.
constexpr std::size_t kMostRest = std::size_t{32} << 20;

/// Takes the events of nlohmann's parser.
class DocumentBuilder {
 public:
  explicit DocumentBuilder(JsonText& text) : text_(text), source_(text.source()), json_(text) {
    document_.end_of_ids =
        static_cast<TokenId>(std::min(static_cast<std::size_t>(kMostTokens), kIdsOfAnyFile + text.size()));
  }

  TokenizerDocument take() {
    document_.rest = json_.take();
    return std::move(document_);
  }

  bool null() { return take_value(0) && json_.null(); }
  bool boolean(bool flag) { return take_value(0) && json_.boolean(flag); }
  bool number_integer(std::int64_t number) { return take_value(0) && json_.number_integer(number); }
  bool number_unsigned(std::uint64_t number) {
    return part_ == Part::vocabulary ? add_token(number) : take_value(0) && json_.number_unsigned(number);
  }
  bool number_float(double number, const std::string& text) {
    return take_value(0) && json_.number_float(number, text);
  }
  bool binary(Json::binary_t&) { return false; }

  bool string(std::string& text) {
    if (part_ == Part::merge) return add_half(text);
    if (part_ == Part::merges) return add_merge(text);
    return take_value(text.size()) && json_.string(text);
  }

  bool key(std::string& name) {
    text_.value_seen();
    if (part_ == Part::rest) take_rest(name.size());
    // In the vocabulary the table itself sees what stands twice.
    if (is_taken_out(name)) fail(std::string("model.").append(name), "the key stands twice in one object");
    if (part_ == Part::rest) return json_.key(name);
    token_ = std::move(name);
    return true;
  }

  bool start_object(std::size_t) {
    if (part_ == Part::rest && in_model() && json_.last_key() == "vocab") {
      document_.vocabulary.emplace();
      part_ = Part::vocabulary;
      return true;
    }
    const bool is_model = json_.depth() == 1 && json_.last_key() == "model";
    take_value(0);
    json_.start_object(0);
    if (json_.depth() == 2) at_model_ = is_model;
    return true;
  }

  bool start_array(std::size_t) {
    if (part_ == Part::rest && in_model() && json_.last_key() == "merges") {
      document_.merges.emplace();
      part_ = Part::merges;
      return true;
    }
    if (part_ == Part::merges) {
      halves_.clear();
      part_ = Part::merge;
      return true;
    }
    take_value(0);
    json_.start_array(0);
    if (json_.depth() == 2) at_model_ = false;
    return true;
  }

  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error) {
    return json_.parse_error(position, token, error);
  }

 private:
  enum class Part { rest, vocabulary, merges, merge };

  [[noreturn]] void fail(const std::string& field, const std::string& message) const {
    throw Error(ErrorCode::format, source_, field, message);
  }

  [[noreturn]] void fail_merge() const {
    fail("model.merges[" + std::to_string(document_.merges->size()) + "]",
         "expected \"a b\" or [\"a\", \"b\"]");
  }

  /// Counts what a value that is kept as JSON takes in memory.
  void take_rest(std::size_t characters) {
    constexpr std::size_t kValueBytes = 64;
    rest_bytes_ += kValueBytes + characters;
    if (rest_bytes_ > kMostRest) {
      throw Error(
          ErrorCode::limit, source_, "",
          "found more than " + std::to_string(kMostRest) + " bytes beside the vocabulary and the merges");
    }
  }

  bool in_model() const { return json_.depth() == 2 && at_model_; }

  /// Whether `name` is a key of the model whose value did not go into the JSON.
  bool is_taken_out(std::string_view name) const {
    return part_ == Part::rest && in_model() &&
           ((name == "vocab" && document_.vocabulary) || (name == "merges" && document_.merges));
  }

  /// A value of the rest, of which the document keeps so many characters.
  bool take_value(std::size_t characters) {
    if (part_ == Part::vocabulary) fail("model.vocab." + token_, "expected an id");
    if (part_ != Part::rest) fail_merge();
    take_rest(characters);
    return true;
  }

  bool close() {
    switch (part_) {
      case Part::rest:
        return json_.end_object();
      case Part::merge:
        if (halves_.size() != 2) fail_merge();
        part_ = Part::merges;
        return add_pair(halves_[0], halves_[1]);
      default:
        part_ = Part::rest;
        return true;
    }
  }

  bool add_token(std::uint64_t id) {
    if (id >= static_cast<std::uint64_t>(document_.end_of_ids))
      fail("model.vocab." + token_, "found " + std::to_string(id) + ", expected an id below " +
                                        std::to_string(document_.end_of_ids) + " in a file of this size");
    if (!document_.vocabulary->add(token_, static_cast<TokenId>(id)))
      fail("model.vocab." + token_, "the token or its id " + std::to_string(id) + " stands twice");
    return true;
  }

  bool add_half(std::string& text) {
    if (halves_.size() == 2) fail_merge();
    halves_.push_back(std::move(text));
    return true;
  }

  bool add_merge(std::string_view text) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) fail_merge();
    return add_pair(text.substr(0, space), text.substr(space + 1));
  }

  bool add_pair(std::string_view left, std::string_view right) {
    if (document_.merges->size() == kMostMerges)
      fail("model.merges", "more than " + std::to_string(kMostMerges));
    text_.value_seen();
    document_.merges->add(left, right);
    return true;
  }

  JsonText& text_;
  const std::string& source_;
  TokenizerDocument document_;
  JsonBuilder json_;  ///< The rest.
  std::size_t rest_bytes_ = 0;
  std::string token_;
  std::vector<std::string> halves_;
  Part part_ = Part::rest;
  bool at_model_ = false;  ///< The container of depth 2 is the object `model`.
};

TokenizerDocument parse(JsonText& text) {
  DocumentBuilder builder(text);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

}  // namespace

TokenizerDocument parse_tokenizer_document(std::string_view text, const std::string& source) {
  JsonText characters(text, source);
  return parse(characters);
}

TokenizerDocument read_tokenizer_document(const std::filesystem::path& path) {
  JsonText characters(path, kMostBytes);
  return parse(characters);
}

}  // namespace mla
