#include "tokenizer/bpe.h"

#include <cstdio>

#include "mla/error.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/quote.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

constexpr std::size_t kLongestWord = std::size_t{1} << 30;  // Places in a word are 32-bit numbers.

}  // namespace

std::string fallback_name(std::size_t byte) {
  char name[8];
  std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte & 0xFF));
  return name;
}

Bpe::Bpe(Vocabulary vocabulary, MergeTable merges, BpeOptions options, std::string file)
    : vocabulary_(std::move(vocabulary)),
      merges_(std::move(merges)),
      options_(std::move(options)),
      file_(std::move(file)) {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(static_cast<unsigned char>(byte));
    byte_ids_[byte] = vocabulary_.find(bytes_to_visible({&text, 1})).value_or(-1);
    fallback_ids_[byte] = vocabulary_.find(fallback_name(byte)).value_or(-1);
  }
}

void Bpe::encode_word(std::string_view word, BpeScratch& scratch, std::vector<TokenId>& ids) const {
  if (word.size() > WordCache::kMostBytes) return encode_uncached(word, scratch, ids);
  WordCache::Entry& entry = scratch.cache.place(word);
  if (WordCache::holds(entry, word)) {
    ids.insert(ids.end(), entry.ids.begin(), entry.ids.begin() + entry.count);
    return;
  }
  const std::size_t before = ids.size();
  encode_uncached(word, scratch, ids);
  WordCache::store(entry, word, std::span<const TokenId>(ids).subspan(before));
}

void Bpe::encode_uncached(std::string_view word, BpeScratch& scratch, std::vector<TokenId>& ids) const {
  if (word.size() > kLongestWord) throw Error(ErrorCode::limit, "a word of the text is longer than 1 GiB");
  if (options_.ignore_merges) {
    const auto id = vocabulary_.find(options_.byte_level ? bytes_to_visible(word) : std::string(word));
    if (id) return ids.push_back(*id);
  }
  scratch.symbols.clear();
  if (options_.late_fallback) {
    const std::size_t before = ids.size();
    start_with_symbols(word, scratch.symbols);
    merge_symbols(merges_, scratch, ids);
    return spell_symbols(before, ids);
  }
  if (!options_.byte_level) {
    start_with_characters(word, scratch.symbols);
  } else if (!start_with_bytes(word, scratch.symbols)) {
    scratch.symbols.clear();
    start_with_characters(bytes_to_visible(word), scratch.symbols);
  }
  if (!scratch.symbols.empty()) merge_symbols(merges_, scratch, ids);
}

/// The plain case: every byte is a token. False if it is not.
bool Bpe::start_with_bytes(std::string_view word, std::vector<TokenId>& symbols) const {
  if (!options_.continuing_subword_prefix.empty() || !options_.end_of_word_suffix.empty()) return false;
  symbols.reserve(word.size());
  for (const char byte : word) {
    const TokenId id = byte_ids_[static_cast<unsigned char>(byte)];
    if (id < 0) return false;
    symbols.push_back(id);
  }
  return true;
}

void Bpe::start_with_characters(std::string_view word, std::vector<TokenId>& symbols) const {
  // An unknown character is held back until a known one comes, and is overtaken by bytes: so does the
  // reference.
  TokenId held = -1;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t length = code_point_at(word, at).length;
    std::string character(word.substr(at, length));
    if (at > 0) character.insert(0, options_.continuing_subword_prefix);
    at += length;
    if (at == word.size()) character += options_.end_of_word_suffix;
    if (const auto id = vocabulary_.find(character)) {
      if (held >= 0) symbols.push_back(held);
      held = -1;
      symbols.push_back(*id);
    } else if (!start_with_fallback(character, symbols) && options_.unk_token) {
      if (held >= 0 && !options_.fuse_unk) symbols.push_back(held);
      held = unknown();
    }
  }
  if (held >= 0) symbols.push_back(held);
}

void Bpe::start_with_symbols(std::string_view word, std::vector<TokenId>& symbols) const {
  symbols.reserve(word.size());
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint point = code_point_at(word, at);
    symbols.push_back(
        vocabulary_.find(word.substr(at, point.length)).value_or(character_symbol(point.value)));
    at += point.length;
  }
}

/// Puts bytes in the place of the characters that no merge took.
void Bpe::spell_symbols(std::size_t begin, std::vector<TokenId>& ids) const {
  std::size_t place = begin;
  while (place < ids.size() && ids[place] < kMostTokens) ++place;
  if (place == ids.size()) return;
  const std::vector<TokenId> symbols(ids.begin() + static_cast<std::ptrdiff_t>(place), ids.end());
  ids.resize(place);
  std::string character;
  for (const TokenId symbol : symbols) {
    if (symbol < kMostTokens) {
      ids.push_back(symbol);
      continue;
    }
    character.clear();
    append_utf8(character, static_cast<char32_t>(symbol - kMostTokens));
    for (const char byte : character) ids.push_back(fallback_ids_[static_cast<unsigned char>(byte)]);
  }
}

bool Bpe::start_with_fallback(std::string_view character, std::vector<TokenId>& symbols) const {
  if (!options_.byte_fallback) return false;
  for (const char byte : character)
    if (fallback_ids_[static_cast<unsigned char>(byte)] < 0) return false;
  for (const char byte : character) symbols.push_back(fallback_ids_[static_cast<unsigned char>(byte)]);
  return true;
}

TokenId Bpe::unknown() const {
  const auto id = vocabulary_.find(*options_.unk_token);
  if (!id)
    throw Error(ErrorCode::format, file_, "model.unk_token",
                quote(*options_.unk_token) + " is not in the vocabulary");
  return *id;
}

}  // namespace mla
