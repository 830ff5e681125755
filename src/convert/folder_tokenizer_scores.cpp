#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "convert/folder_tokenizer.h"
#include "mla/error.h"
#include "tokenizer/gguf_vocabulary.h"
#include "tokenizer/quote.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // What stands for a space.

std::string type_of(const JsonField& field) {
  return field.get("type").as_string();
}

bool marks_spaces(const JsonField& step) {
  return type_of(step) == "Replace" && step.get("pattern").json() == Json{{"String", " "}} &&
         step.get("content").as_string() == kMark;
}

bool prepends_mark(const JsonField& step) {
  return type_of(step) == "Prepend" && step.get("prepend").as_string() == kMark;
}

/// Whether a normalizer that turns spaces into marks also puts one before the text; nothing if it is of another kind.
std::optional<bool> prefix_of_normalizer(const JsonField& normalizer) {
  if (marks_spaces(normalizer)) return false;
  if (type_of(normalizer) != "Sequence") return std::nullopt;
  const JsonField steps = normalizer.get("normalizers");
  const std::size_t count = steps.array_size();
  if (count == 1 && marks_spaces(steps.element(0))) return false;
  if (count == 2 && prepends_mark(steps.element(0)) && marks_spaces(steps.element(1))) return true;
  return std::nullopt;
}

/// The same of a pre-tokenizer that leaves the text in one piece.
std::optional<bool> prefix_of_metaspace(const JsonField& step) {
  if (type_of(step) != "Metaspace" || step.get("replacement").as_string() != kMark) return std::nullopt;
  const auto split = step.find("split");
  if (!split || split->as_bool()) return std::nullopt;
  const auto scheme = step.find("prepend_scheme");
  // "first" and "always" differ behind special tokens within a text, and neither puts a space before a text that begins
  // with one. GGUF has one form for both, what SentencePiece itself does; converters write it so.
  return !scheme || scheme->as_string() != "never";
}

/// Whether a space is put before the text. SentencePiece has no other splits.
bool read_prefix(const JsonField& root) {
  const auto normalizer = root.find("normalizer");
  const auto pre_tokenizer = root.find("pre_tokenizer");
  std::optional<bool> prefix;
  if (normalizer && !pre_tokenizer) prefix = prefix_of_normalizer(*normalizer);
  if (!normalizer && pre_tokenizer) prefix = prefix_of_metaspace(*pre_tokenizer);
  if (!prefix)
    throw Error(ErrorCode::unsupported, root.file(), normalizer ? "normalizer" : "pre_tokenizer",
                "found another treatment of spaces than SentencePiece's, for which GGUF has no form beside "
                "byte_fallback");
  return *prefix;
}

/// Scores that lead to the same merges: a token's score is the higher the earlier the merges that make it stand.
class Scores {
 public:
  Scores(const TokenizerDocument& document, const std::string& file)
      : vocabulary_(*document.vocabulary), merges_(*document.merges), file_(file) {}

  std::vector<float> compute(std::size_t vocab_size) {
    std::vector<float> scores(vocab_size, 0.0F);
    std::size_t made = 0;
    TokenId last = -1;
    std::set<TokenId> seen;
    for (std::size_t i = 0; i < merges_.size(); ++i) {
      const TokenId token = *vocabulary_.find(std::string(merges_.left(i)).append(merges_.right(i)));
      if (token == last) continue;
      if (!seen.insert(token).second)
        fail("model.merges[" + std::to_string(i) + "]",
             "the merges of " + quote(vocabulary_.text(token)) + " do not stand together");
      scores[static_cast<std::size_t>(token)] = -static_cast<float>(made++);
      last = token;
    }
    check_that_every_pair_merges();
    // A single character is never made; SentencePiece has them last.
    for (TokenId id = 0; id < vocabulary_.end_id(); ++id)
      if (vocabulary_.has(id) && code_point_at(vocabulary_.text(id), 0).length == vocabulary_.text(id).size())
        scores[static_cast<std::size_t>(id)] = -static_cast<float>(made);
    return scores;
  }

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& message) const {
    throw Error(ErrorCode::unsupported, file_, place, message + ", which scores cannot say");
  }

  /// With scores, neighbours merge whenever they are a token together.
  void check_that_every_pair_merges() const {
    std::set<std::pair<std::string_view, std::string_view>> listed;
    for (std::size_t i = 0; i < merges_.size(); ++i) listed.emplace(merges_.left(i), merges_.right(i));
    for (TokenId id = 0; id < vocabulary_.end_id(); ++id) {
      if (!vocabulary_.has(id)) continue;
      const std::string_view token = vocabulary_.text(id);
      for (std::size_t at = code_point_at(token, 0).length; at < token.size();
           at += code_point_at(token, at).length) {
        const std::pair<std::string_view, std::string_view> pair(token.substr(0, at), token.substr(at));
        if (vocabulary_.find(pair.first) && vocabulary_.find(pair.second) && !listed.contains(pair))
          fail("model.merges", "the tokens " + quote(pair.first) + " and " + quote(pair.second) +
                                   " do not merge, though " + quote(token) + " is a token");
      }
    }
  }

  const Vocabulary& vocabulary_;
  const MergeList& merges_;
  const std::string& file_;
};

/// What the file would be refused for when it is read, and what takes as long here.
void check_lengths(const TokenList& tokens, const std::string& file) {
  std::uint64_t work = 0;
  for (std::size_t id = 0; id < tokens.texts.size(); ++id) {
    const std::size_t size = tokens.texts[id].size();
    if (size > kLongestScoredToken)
      throw Error(ErrorCode::unsupported, file, "the token of id " + std::to_string(id),
                  "found " + std::to_string(size) + " bytes, expected at most " +
                      std::to_string(kLongestScoredToken));
    work += size * size;
  }
  if (work > kMostScoredWork)
    throw Error(ErrorCode::unsupported, file, "model.vocab",
                "found too many long tokens, expected squares of their sizes of at most " +
                    std::to_string(kMostScoredWork) + " in all");
}

}  // namespace

void describe_scored_tokenizer(const TokenizerDocument& document, const std::string& file,
                               std::size_t vocab_size, GgufMetadata& metadata) {
  const JsonField root(document.rest, file);
  const bool prefix = read_prefix(root);
  TokenList tokens(document, file, vocab_size, true);
  check_lengths(tokens, file);
  for (int byte = 0; byte < 256; ++byte) {
    std::array<char, 8> name{};
    std::snprintf(name.data(), name.size(), "<0x%02X>", static_cast<unsigned>(byte));
    if (!document.vocabulary->find(name.data()))
      throw Error(ErrorCode::unsupported, file, "model.vocab",
                  std::string("found no ") + name.data() + ", GGUF needs a token for every byte");
  }
  if (const auto unknown = root.get("model").find("unk_token"))
    if (const auto id = document.vocabulary->find(unknown->as_string()))
      tokens.types[static_cast<std::size_t>(*id)] = static_cast<std::int32_t>(GgufTokenType::unknown);
  metadata.add_string("tokenizer.ggml.model", "llama");
  metadata.add_string("tokenizer.ggml.pre", "default");
  metadata.add_strings("tokenizer.ggml.tokens", tokens.texts);
  metadata.add_float32s("tokenizer.ggml.scores", Scores(document, file).compute(vocab_size));
  metadata.add_int32s("tokenizer.ggml.token_type", tokens.types);
  metadata.add_bool("tokenizer.ggml.add_space_prefix", prefix);
}

}  // namespace mla
