#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <set>

#include "tokenizer/quote.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"
#include "tokenizer/vocabulary.h"

namespace mla {
namespace {

bool flag(const JsonField& token, std::string_view key, bool otherwise) {
  const std::optional<JsonField> field = token.find(key);
  return field ? field->as_bool() : otherwise;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool left =
      begin > 0 && is_word_character(code_point_at(text, previous_code_point(text, begin)).value);
  const bool right = end < text.size() && is_word_character(code_point_at(text, end).value);
  return !left && !right;
}

std::size_t skip_space_back(std::string_view text, std::size_t at) {
  while (at > 0) {
    const std::size_t before = previous_code_point(text, at);
    if (!is_white_space(code_point_at(text, before).value)) break;
    at = before;
  }
  return at;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const CodePoint point = code_point_at(text, at);
    if (!is_white_space(point.value)) break;
    at += point.length;
  }
  return at;
}

}  // namespace

std::vector<AddedToken> read_added_tokens(const JsonField& field, TokenId end_of_ids) {
  std::vector<AddedToken> tokens;
  std::set<TokenId> ids;
  std::set<std::string> contents;
  for (std::size_t i = 0; i < field.array_size(); ++i) {
    const JsonField entry = field.element(i);
    AddedToken token;
    token.id = static_cast<TokenId>(entry.get("id").as_int(0, end_of_ids - 1));
    token.content = entry.get("content").as_string();
    token.special = flag(entry, "special", false);
    token.single_word = flag(entry, "single_word", false);
    token.lstrip = flag(entry, "lstrip", false);
    token.rstrip = flag(entry, "rstrip", false);
    token.normalized = flag(entry, "normalized", !token.special);
    if (!ids.insert(token.id).second)
      entry.get("id").fail("the id " + std::to_string(token.id) + " stands twice");
    if (!contents.insert(token.content).second)
      entry.get("content").fail("the token " + quote(token.content) + " stands twice");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

void AddedTokenMatcher::add(const AddedToken& token, std::string_view form) {
  if (form.empty()) return;
  std::uint32_t at = 0;
  for (const char c : form) {
    const auto byte = static_cast<unsigned char>(c);
    if (const Edge* known = edge(nodes_[at], byte)) {
      at = known->node;
      continue;
    }
    const auto added = static_cast<std::uint32_t>(nodes_.size());
    nodes_[at].edges.push_back({byte, added});
    nodes_.emplace_back();
    at = added;
  }
  // Of two tokens with one normalized form the first one counts.
  if (nodes_[at].token < 0) nodes_[at].token = static_cast<std::int32_t>(tokens_.size());
  only_start_ =
      tokens_.empty() || only_start_ == form.front() ? std::optional<char>(form.front()) : std::nullopt;
  starts_[static_cast<unsigned char>(form.front())] = true;
  tokens_.push_back(token);
}

const AddedTokenMatcher::Edge* AddedTokenMatcher::edge(const Node& node, unsigned char byte) const {
  for (const Edge& candidate : node.edges)
    if (candidate.byte == byte) return &candidate;
  return nullptr;
}

std::size_t AddedTokenMatcher::next_start(std::string_view text, std::size_t at) const {
  if (only_start_) return std::min(text.find(*only_start_, at), text.size());
  while (at < text.size() && !starts_[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

std::optional<AddedTokenMatcher::Found> AddedTokenMatcher::next(std::string_view text, std::size_t at) const {
  for (at = next_start(text, at); at < text.size(); at = next_start(text, at + 1)) {
    std::optional<Found> longest;
    const Node* node = nodes_.data();
    for (std::size_t end = at; end < text.size();) {
      const Edge* step = edge(*node, static_cast<unsigned char>(text[end]));
      if (!step) break;
      node = &nodes_[step->node];
      ++end;
      if (node->token >= 0) longest = Found{at, end, &tokens_[static_cast<std::size_t>(node->token)]};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

void AddedTokenMatcher::split(std::string_view text,
                              FunctionRef<void(std::string_view, std::optional<TokenId>)> sink) const {
  std::size_t done = 0;
  if (!tokens_.empty()) {
    std::optional<Found> found = next(text, 0);
    for (; found; found = next(text, found->end)) {
      const AddedToken& token = *found->token;
      if (token.single_word && !stands_alone(text, found->begin, found->end)) continue;
      // White space that the token before took is gone.
      const std::size_t begin =
          token.lstrip ? std::max(skip_space_back(text, found->begin), done) : found->begin;
      const std::size_t end = token.rstrip ? skip_space(text, found->end) : found->end;
      if (done < begin) sink(text.substr(done, begin - done), std::nullopt);
      sink(text.substr(begin, end - begin), token.id);
      done = end;
    }
  }
  if (done < text.size()) sink(text.substr(done), std::nullopt);
}

}  // namespace mla
