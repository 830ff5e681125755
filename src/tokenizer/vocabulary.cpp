#include "tokenizer/vocabulary.h"

#include <bit>

#include "tokenizer/hash.h"

namespace mla {

void Vocabulary::reserve(std::size_t tokens, std::size_t characters) {
  characters_.reserve(characters);
  spans_.reserve(tokens);
  grow(tokens);
}

void Vocabulary::grow(std::size_t tokens) {
  const std::size_t capacity = std::bit_ceil(tokens * 2 + 16);
  if (capacity <= slots_.size()) return;
  slots_.assign(capacity, -1);
  for (std::size_t id = 0; id < spans_.size(); ++id)
    if (has(static_cast<TokenId>(id)))
      slots_[slot_of(text(static_cast<TokenId>(id)))] = static_cast<TokenId>(id);
}

std::size_t Vocabulary::slot_of(std::string_view token) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(hash_bytes(token)) & mask;
  while (slots_[slot] >= 0 && text(slots_[slot]) != token) slot = (slot + 1) & mask;
  return slot;
}

bool Vocabulary::add(std::string_view token, TokenId id) {
  if (has(id)) return false;
  grow(count_ + 1);
  const std::size_t slot = slot_of(token);
  if (slots_[slot] >= 0) return false;
  if (index(id) >= spans_.size()) spans_.resize(index(id) + 1);
  spans_[index(id)] = {characters_.size(), static_cast<std::uint32_t>(token.size())};
  characters_.append(token);
  slots_[slot] = id;
  ++count_;
  return true;
}

std::optional<TokenId> Vocabulary::find(std::string_view token) const {
  if (slots_.empty()) return std::nullopt;
  const TokenId id = slots_[slot_of(token)];
  if (id < 0) return std::nullopt;
  return id;
}

std::string_view Vocabulary::text(TokenId id) const {
  const Span& span = spans_[index(id)];
  return std::string_view(characters_).substr(span.begin, span.length);
}

}  // namespace mla
