#include "mla/tokenizer.h"
#include "tokenizer/utf8.h"

namespace mla {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special_tokens)
    : tokenizer_(std::move(tokenizer)), skip_special_tokens_(skip_special_tokens) {}

std::string StreamDecoder::push(TokenId id) {
  const std::string bytes = tokenizer_->token_bytes(id, skip_special_tokens_);
  if (skip_special_tokens_ && tokenizer_->is_special(id)) return {};
  if (started_) held_ += tokenizer_->token_separator();
  started_ = true;
  held_ += bytes;
  const std::size_t ready = held_.size() - unfinished_utf8(held_);
  std::string text = repair_utf8(std::string_view(held_).substr(0, ready));
  held_.erase(0, ready);
  return text;
}

std::string StreamDecoder::finish() {
  std::string text = repair_utf8(held_);
  held_.clear();
  started_ = false;
  return text;
}

}  // namespace mla
