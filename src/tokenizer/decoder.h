// From tokens' spellings in the vocabulary to the text they stand for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace mla {

/// What one token becomes before tokens are joined.
struct DecodedToken {
  std::string bytes;
  bool is_byte = false;  ///< One byte of byte fallback, "<0x0A>".
};

/// Taking up to `start` characters `content` from the beginning of a text, and up to `stop` from its end.
struct StripRule {
  std::string content;  ///< One character.
  std::size_t start = 0;
  std::size_t stop = 0;
};

/// How tokens are joined to a text.
struct JoinRules {
  std::string separator;          ///< Between two tokens.
  std::vector<StripRule> strips;  ///< Of the whole text, in order.
};

/// The decoders of tokenizer.json that mla knows: first those that treat every token on its own (Replace of a
/// string, Strip, Metaspace), then ByteFallback, then Fuse, then Strip of the whole text; or ByteLevel after the
/// first ones. Semantics: https://github.com/huggingface/tokenizers, tokenizers/src/decoders.
class TokenDecoder {
 public:
  /// The decoder of a file without one: tokens as they are spelled, with spaces between them.
  TokenDecoder() : join_{std::string(1, ' '), {}} {}

  /// From the object at `field`. Throws Error(format, unsupported).
  explicit TokenDecoder(const JsonField& field);

  /// `first`: the token is the first of its text.
  DecodedToken decode(std::string_view token, bool first = false) const;

  /// Whether the first token of a text may become something else than elsewhere.
  bool treats_first() const { return treats_first_; }
  const JoinRules& join() const { return join_; }

 private:
  /// What happens to one token: `from` is replaced by `to`; or the token is stripped.
  struct Step {
    enum class Kind { replace, metaspace, strip } kind = Kind::replace;
    std::string from;
    std::string to;  ///< Of metaspace, nothing for the first token if `drop_first`.
    bool drop_first = false;
    StripRule strip;
  };
  /// How far the tokens are on their way to one text.
  enum class Stage { tokens, bytes_joined, fused };

  void read(const JsonField& field);
  void read_replace(const JsonField& field);
  void read_metaspace(const JsonField& field);
  void read_strip(const JsonField& field);

  std::vector<Step> steps_;
  Stage stage_ = Stage::tokens;
  bool byte_level_ = false;
  bool byte_fallback_ = false;
  bool treats_first_ = false;
  JoinRules join_;
};

/// The byte that `token` spells as byte fallback does ("<0x0A>"), if it does.
std::optional<char> fallback_byte(std::string_view token);

/// `text` without up to `rule.start` characters at its beginning and `rule.stop` at its end.
std::string_view strip(std::string_view text, const StripRule& rule);

}  // namespace mla
