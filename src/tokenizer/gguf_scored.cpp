// `tokenizer.ggml.model` = "llama".
#include <algorithm>
#include <cmath>
#include <utility>

#include "tokenizer/gguf_vocabulary.h"
#include "tokenizer/quote.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";

/// The rank of each token's merge: the higher the score, the earlier; equal scores, equal ranks.
std::vector<std::uint32_t> ranks_of(const GgufValue::Numbers& scores) {
  GgufValue::Numbers sorted = scores;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<std::uint32_t> ranks;
  ranks.reserve(scores.size());
  for (const double score : scores)
    ranks.push_back(static_cast<std::uint32_t>(
        std::lower_bound(sorted.begin(), sorted.end(), score, std::greater<>()) - sorted.begin()));
  return ranks;
}

const GgufValue::Numbers& read_scores(const GgufVocabulary& source) {
  const GgufFile& file = *source.file;
  const GgufValue::Numbers* scores = file.numbers(kGgufScores);
  if (!scores) file.fail(kGgufScores, "missing");
  if (scores->size() != source.tokens->size())
    file.fail(kGgufScores, "found " + std::to_string(scores->size()) + " scores for " +
                               std::to_string(source.tokens->size()) + " tokens");
  for (std::size_t id = 0; id < scores->size(); ++id)
    if (!std::isfinite((*scores)[id])) file.fail(source.place(kGgufScores, id), "expected a finite number");
  return *scores;
}

/// All pairs of symbols that are a token together. A symbol is a token or a single character.
class PairFinder {
 public:
  PairFinder(const GgufVocabulary& source, const Vocabulary& table) : source_(source), table_(table) {}

  MergeTable find() {
    const std::vector<std::uint32_t> ranks = ranks_of(read_scores(source_));
    check_lengths();
    for (TokenId id = 0; id < table_.end_id(); ++id)
      if (table_.has(id)) cut(id, ranks[static_cast<std::size_t>(id)]);
    MergeTable result;
    result.reserve(pairs_.size());
    for (const Pair& pair : pairs_) result.add(pair.left, pair.right, pair.rank, pair.merged);
    return result;
  }

 private:
  struct Pair {
    TokenId left;
    TokenId right;
    std::uint32_t rank;
    TokenId merged;
  };

  void check_lengths() const {
    std::uint64_t work = 0;
    for (std::size_t id = 0; id < source_.tokens->size(); ++id) {
      const std::size_t size = (*source_.tokens)[id].size();
      if (size > kLongestScoredToken) {
        source_.file->unsupported(source_.place(kGgufTokens, id), "found a token of " + std::to_string(size) +
                                                                      " bytes, expected at most " +
                                                                      std::to_string(kLongestScoredToken));
      }
      work += size * size;
    }
    if (work > kMostScoredWork) {
      source_.file->unsupported(kGgufTokens,
                                "found too many long tokens, expected squares of their sizes of at most " +
                                    std::to_string(kMostScoredWork) + " in all");
    }
  }

  void cut(TokenId id, std::uint32_t rank) {
    const std::string_view token = table_.text(id);
    for (std::size_t at = code_point_at(token, 0).length; at < token.size();
         at += code_point_at(token, at).length) {
      const std::optional<TokenId> left = symbol(token.substr(0, at));
      const std::optional<TokenId> right = left ? symbol(token.substr(at)) : std::nullopt;
      if (right) pairs_.push_back({*left, *right, rank, id});
    }
    if (pairs_.size() > kMostScoredPairs) {
      source_.file->unsupported(kGgufTokens,
                                "found more than " + std::to_string(kMostScoredPairs) +
                                    " pairs of tokens that make another, expected at most so many");
    }
  }

  std::optional<TokenId> symbol(std::string_view text) const {
    if (const auto token = table_.find(text)) return token;
    const CodePoint point = code_point_at(text, 0);
    if (point.length == text.size()) return character_symbol(point.value);
    return std::nullopt;
  }

  const GgufVocabulary& source_;
  const Vocabulary& table_;
  std::vector<Pair> pairs_;
};

Json replace(std::string_view from, std::string_view to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

Json sequence_of(const char* key, std::vector<Json> members) {
  return {{"type", "Sequence"}, {key, std::move(members)}};
}

void require_bytes(const GgufVocabulary& source, const Vocabulary& table) {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (!table.find(fallback_name(byte)))
      source.file->unsupported(
          kGgufTokens, "found no token " + quote(fallback_name(byte)) + ", expected one for every byte");
  }
}

}  // namespace

TokenizerParts read_gguf_scored(const GgufVocabulary& vocabulary) {
  const GgufFile& file = *vocabulary.file;
  Vocabulary table = vocabulary.table(false);
  require_bytes(vocabulary, table);
  MergeTable merges = PairFinder(vocabulary, table).find();
  BpeOptions options;
  options.late_fallback = true;
  Bpe model(std::move(table), std::move(merges), std::move(options), file.name());
  TokenizerParts parts{file.name(), nullptr, {}, std::move(model), vocabulary.added(), {}, {}};
  // A space before the text and before what follows a control or user-defined token.
  const bool prefix = file.boolean("tokenizer.ggml.add_space_prefix").value_or(true);
  std::vector<Json> normalizers = {replace(" ", kMark)};
  std::vector<Json> decoders = {replace(kMark, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (prefix) {
    normalizers.insert(normalizers.begin(), Json{{"type", "Prepend"}, {"prepend", kMark}});
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  const Json normalizer = sequence_of("normalizers", std::move(normalizers));
  const Json decoder = sequence_of("decoders", std::move(decoders));
  parts.normalizer = Normalizer::from_json(JsonField(normalizer, file.name()));
  parts.decoder = TokenDecoder(JsonField(decoder, file.name()));
  parts.post_processor = vocabulary.post_processor(true, 1, 2);
  return parts;
}

}  // namespace mla
