// Tokens and their ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mla/tokenizer.h"

namespace mla {

/// More tokens than any model has. A table goes up to the highest id, so that a file of one line must not
/// name a huge one.
inline constexpr TokenId kMostTokens = TokenId{1} << 21;

class Vocabulary {
 public:
  /// Every id in [0, kMostTokens). A token or an id that stands twice: `add` returns false and adds nothing.
  void reserve(std::size_t tokens, std::size_t characters);
  bool add(std::string_view token, TokenId id);

  std::optional<TokenId> find(std::string_view token) const;
  bool has(TokenId id) const { return index(id) < spans_.size() && spans_[index(id)].length != kAbsent; }
  /// The token of an id that `has`.
  std::string_view text(TokenId id) const;
  std::size_t size() const { return count_; }
  TokenId end_id() const { return static_cast<TokenId>(spans_.size()); }

 private:
  static constexpr std::uint32_t kAbsent = UINT32_MAX;
  struct Span {
    std::size_t begin = 0;
    std::uint32_t length = kAbsent;
  };

  // A negative id becomes an index beyond every end.
  static std::size_t index(TokenId id) { return static_cast<std::size_t>(static_cast<std::uint32_t>(id)); }
  std::size_t slot_of(std::string_view token) const;
  void grow(std::size_t tokens);

  std::string characters_;
  std::vector<Span> spans_;     ///< By id.
  std::vector<TokenId> slots_;  ///< Open addressing by token; -1 where free.
  std::size_t count_ = 0;
};

}  // namespace mla
