#include "fuzz/tokenizer_exercise.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace mla::fuzz {

void exercise(const Tokenizer& tokenizer, std::string_view text) {
  const std::vector<TokenId> ids = tokenizer.encode(text);
  for (const bool skip_special : {false, true}) {
    std::string streamed;
    const std::unique_ptr<DecodingStream> stream = tokenizer.stream(skip_special);
    for (const TokenId id : ids) streamed += stream->push(id);
    streamed += stream->finish();
    if (streamed != tokenizer.decode(ids, skip_special))
      throw std::logic_error("a text decoded token by token is another");
  }
  for (const TokenId id : ids) tokenizer.token_bytes(id, true);
  tokenizer.describe();
}

}  // namespace mla::fuzz
