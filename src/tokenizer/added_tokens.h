// Tokens that are found in the text before it is split: special ones and others that were added to the
// vocabulary.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/json.h"
#include "mla/tokenizer.h"

namespace mla {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool single_word = false;  ///< Only where no word character touches it.
  bool lstrip = false;       ///< Takes the white space before it along.
  bool rstrip = false;
  bool normalized = true;  ///< Looked for in the normalized text, as its own normalized form.
  bool special = false;
};

/// The array `added_tokens` of tokenizer.json, whose ids lie below `end_of_ids`. Throws Error(format).
std::vector<AddedToken> read_added_tokens(const JsonField& field, TokenId end_of_ids);

/// Finds added tokens in text: at every place the longest, from left to right.
class AddedTokenMatcher {
 public:
  /// `form` is the token's content, or its normalized form. An empty one matches nothing.
  void add(const AddedToken& token, std::string_view form);

  /// Gives `sink` the stretches of `text` (valid UTF-8) in order: found tokens with their id, text between
  /// them without.
  void split(std::string_view text, FunctionRef<void(std::string_view, std::optional<TokenId>)> sink) const;

 private:
  struct Edge {
    unsigned char byte;
    std::uint32_t node;
  };
  struct Node {
    std::vector<Edge> edges;
    std::int32_t token = -1;
  };
  struct Found {
    std::size_t begin;
    std::size_t end;
    const AddedToken* token;
  };

  const Edge* edge(const Node& node, unsigned char byte) const;
  std::size_t next_start(std::string_view text, std::size_t at) const;
  std::optional<Found> next(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::array<bool, 256> starts_{};
  std::optional<char> only_start_;  ///< If all tokens begin with the same byte.
};

}  // namespace mla
