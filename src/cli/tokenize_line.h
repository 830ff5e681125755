// A line of `mla tokenize --jsonl`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mla/tokenizer.h"

namespace mla::cli {

struct LineOptions {
  bool decode = false;   ///< From ids to text.
  bool special = false;  ///< Add BOS and the like; when decoding, show special tokens.
};

/// "1,2,3"
std::string join(const std::vector<TokenId>& ids, const char* separator);

/// A JSON string in one line; characters stay UTF-8.
std::string quoted(const std::string& text);

/// Decoding is lenient about ids without a token; a person who types one has made a mistake: Error(argument).
std::string decode_checked(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool special);

/// `line` is a JSON string, the result the JSON array of its ids; when decoding the other way round. Throws Error(format)
/// that names `source`, and what decode_checked throws.
std::string tokenize_line(const Tokenizer& tokenizer, std::string_view line, const std::string& source,
                          const LineOptions& options);

}  // namespace mla::cli
