#include "cli/tokenize_line.h"

#include <cstddef>
#include <limits>

#include "base/json.h"
#include "mla/error.h"

namespace mla::cli {
namespace {

std::vector<TokenId> ids_of(const JsonField& line) {
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < line.array_size(); ++i)
    ids.push_back(static_cast<TokenId>(line.element(i).as_int(0, std::numeric_limits<TokenId>::max())));
  return ids;
}

}  // namespace

std::string join(const std::vector<TokenId>& ids, const char* separator) {
  std::string line;
  for (const TokenId id : ids) line += (line.empty() ? "" : separator) + std::to_string(id);
  return line;
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string decode_checked(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool special) {
  for (const TokenId id : ids)
    if (static_cast<std::size_t>(id) >= tokenizer.vocab_size())
      throw Error(ErrorCode::argument, "", "ids",
                  "found token " + std::to_string(id) + ", expected 0 to " +
                      std::to_string(tokenizer.vocab_size() - 1));
  return tokenizer.decode(ids, !special);
}

std::string tokenize_line(const Tokenizer& tokenizer, std::string_view line, const std::string& source,
                          const LineOptions& options) {
  const Json json = parse_json(line, source, line.size());  // A text of any length.
  const JsonField field(json, source);
  if (options.decode) return quoted(decode_checked(tokenizer, ids_of(field), options.special));
  return std::string("[").append(join(tokenizer.encode(field.as_string(), options.special), ",")).append("]");
}

}  // namespace mla::cli
