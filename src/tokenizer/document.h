// A tokenizer.json as read from disk. The vocabulary and the merges are most of it and go straight into
// tables; making JSON values of them first would take most of the time of loading.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/json.h"
#include "tokenizer/merge_list.h"
#include "tokenizer/vocabulary.h"

namespace mla {

struct TokenizerDocument {
  Json rest;  ///< All but model.vocab and model.merges.
  std::optional<Vocabulary> vocabulary;
  std::optional<MergeList> merges;
  /// Ids lie below it. Tables go up to the highest id, so that a small file must not name a large one; ids that stand
  /// side by side, as in every vocabulary, fit by far.
  TokenId end_of_ids = 0;
};

/// As strict as parse_json: Error(format) on a syntax error, a key that stands twice, too deep a nesting, and
/// on a vocabulary or merges that are none. Throws Error(io) as well.
TokenizerDocument read_tokenizer_document(const std::filesystem::path& path);

/// The same from a text; `source` is its name for errors.
TokenizerDocument parse_tokenizer_document(std::string_view text, const std::string& source);

}  // namespace mla
