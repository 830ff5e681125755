#include "tokenizer/text_joiner.h"

#include "tokenizer/utf8.h"

namespace mla {

TextJoiner::TextJoiner(const JoinRules& rules) : rules_(rules) {
  for (const StripRule& rule : rules_.strips) strippers_.push_back({&rule, rule.start, {}});
}

void TextJoiner::add(std::string_view bytes, bool is_byte, std::string& text) {
  const bool first = !started_;
  started_ = true;
  if (is_byte) {
    run_ += bytes;
    return;
  }
  end_byte_run(text);
  if (!first) held_ += rules_.separator;
  held_ += bytes;
  const std::size_t ready = held_.size() - unfinished_utf8(held_);
  emit_valid(std::string_view(held_).substr(0, ready), text);
  held_.erase(0, ready);
}

void TextJoiner::end_byte_run(std::string& text) {
  if (run_.empty()) return;
  if (is_valid_utf8(run_)) {
    strip_and_emit(0, run_, text);
  } else {
    // All bytes of the run, those of whole characters too: so does the reference.
    for (std::size_t i = 0; i < run_.size(); ++i) strip_and_emit(0, "\xEF\xBF\xBD", text);
  }
  run_.clear();
}

void TextJoiner::emit_valid(std::string_view bytes, std::string& text) {
  if (is_valid_utf8(bytes))
    strip_and_emit(0, bytes, text);
  else
    strip_and_emit(0, repair_utf8(bytes), text);
}

void TextJoiner::strip_and_emit(std::size_t stripper, std::string_view piece, std::string& text) {
  if (stripper == strippers_.size()) {
    text += piece;
    return;
  }
  Stripper& state = strippers_[stripper];
  const std::string& content = state.rule->content;
  for (; state.left > 0 && piece.starts_with(content); --state.left) piece.remove_prefix(content.size());
  if (piece.empty()) return;
  state.left = 0;
  if (state.rule->stop == 0) return strip_and_emit(stripper + 1, piece, text);
  const std::string whole = state.held.append(piece);
  const std::string_view kept = strip(whole, {content, 0, state.rule->stop});
  state.held = whole.substr(kept.size());
  if (!kept.empty()) strip_and_emit(stripper + 1, kept, text);
}

void TextJoiner::finish(std::string& text) {
  end_byte_run(text);
  emit_valid(held_, text);
  held_.clear();
  started_ = false;
  for (Stripper& state : strippers_) {
    state.left = state.rule->start;
    state.held.clear();
  }
}

}  // namespace mla
