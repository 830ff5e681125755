#include "mla/tokenizer.h"

namespace mla {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special_tokens)
    : tokenizer_(std::move(tokenizer)), stream_(tokenizer_->stream(skip_special_tokens)) {}

std::string StreamDecoder::push(TokenId id) {
  return stream_->push(id);
}

std::string StreamDecoder::finish() {
  return stream_->finish();
}

}  // namespace mla
