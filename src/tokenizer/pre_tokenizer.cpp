#include "tokenizer/pre_tokenizer.h"

#include <vector>

#include "tokenizer/byte_level.h"
#include "tokenizer/component_count.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/pattern.h"
#include "tokenizer/quote.h"
#include "tokenizer/splitting.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

constexpr std::string_view kGpt2Regex =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class Split final : public PreTokenizer {
 public:
  Split(Regex regex, SplitBehavior behavior, bool invert)
      : regex_(std::move(regex)), behavior_(behavior), invert_(invert) {}

  void split(std::string_view text, bool, RegexScratch& scratch, WordSink sink) const override {
    Splitting splitting(text, behavior_, sink);
    std::size_t end = 0;
    regex_.find_all(text, scratch, [&](RegexMatch match) {
      if (end != match.begin) splitting.add(end, match.begin, invert_);
      splitting.add(match.begin, match.end, !invert_);
      end = match.end;
    });
    if (end != text.size()) splitting.add(end, text.size(), invert_);
    splitting.finish();
  }

 private:
  Regex regex_;
  SplitBehavior behavior_;
  bool invert_;
};

class Digits final : public PreTokenizer {
 public:
  explicit Digits(bool individual)
      : behavior_(individual ? SplitBehavior::isolated : SplitBehavior::contiguous) {}

  void split(std::string_view text, bool, RegexScratch&, WordSink sink) const override {
    Splitting splitting(text, behavior_, sink);
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      if (is_numeric(point.value)) {
        if (end != at) splitting.add(end, at, false);
        end = at + point.length;
        splitting.add(at, end, true);
      }
      at += point.length;
    }
    if (end != text.size()) splitting.add(end, text.size(), false);
    splitting.finish();
  }

 private:
  SplitBehavior behavior_;
};

class PrefixSpace final : public PreTokenizer {
 public:
  void split(std::string_view text, bool, RegexScratch&, WordSink sink) const override {
    if (text.front() == ' ') return sink(text);
    std::string prefixed(1, ' ');
    sink(prefixed.append(text));
  }
};

class VisibleBytes final : public PreTokenizer {
 public:
  void split(std::string_view text, bool, RegexScratch&, WordSink sink) const override {
    sink(bytes_to_visible(text));
  }
};

class MetaspaceSplit final : public PreTokenizer {
 public:
  explicit MetaspaceSplit(Metaspace options) : options_(std::move(options)) {}

  void split(std::string_view text, bool at_start, RegexScratch&, WordSink sink) const override {
    const std::string& mark = options_.replacement;
    std::string marked;
    if (options_.prepend == Metaspace::Prepend::always ||
        (options_.prepend == Metaspace::Prepend::first && at_start))
      if (text.front() != ' ' && !text.starts_with(mark)) marked = mark;
    for (const char c : text) c == ' ' ? marked.append(mark) : marked.append(1, c);
    const std::string_view all = marked;
    std::size_t begin = 0;
    while (options_.split) {
      const std::size_t next = all.find(mark, begin == all.size() ? begin : begin + 1);
      if (next == std::string_view::npos) break;
      sink(all.substr(begin, next - begin));
      begin = next;
    }
    sink(all.substr(begin));
  }

 private:
  Metaspace options_;
};

class Steps final : public PreTokenizer {
 public:
  explicit Steps(std::vector<std::unique_ptr<const PreTokenizer>> steps) : steps_(std::move(steps)) {}

  void split(std::string_view text, bool at_start, RegexScratch& scratch, WordSink sink) const override {
    run(0, text, at_start, scratch, sink);
  }

 private:
  // Every word goes through all steps before the next one is looked for, so that nothing is stored in
  // between.
  // Only the first step may ask whether it is at the start.
  void run(std::size_t step, std::string_view text, bool at_start, RegexScratch& scratch,
           WordSink sink) const {
    if (step + 1 == steps_.size()) return steps_[step]->split(text, at_start, scratch, sink);
    steps_[step]->split(text, at_start, scratch,
                        [&](std::string_view word) { run(step + 1, word, false, scratch, sink); });
  }

  std::vector<std::unique_ptr<const PreTokenizer>> steps_;
};

SplitBehavior read_behavior(const JsonField& field) {
  const std::string& name = field.as_string();
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  field.unsupported("found " + quote(name) +
                    ", expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

bool flag(const JsonField& field, std::string_view key, bool otherwise) {
  const std::optional<JsonField> value = field.find(key);
  return value ? value->as_bool() : otherwise;
}

/// Takes the pre-tokenizers apart into steps.
class Reader {
 public:
  void read(const JsonField& field) {
    const std::string& type = field.get("type").as_string();
    if (type == "Sequence") return read_sequence(field.get("pretokenizers"));
    if (byte_level_) {  // Something comes after ByteLevel and must see its characters.
      if (++visible_ > kMostVisible)
        field.get("type").unsupported("found something behind ByteLevel " + std::to_string(visible_) +
                                      " times, expected at most " + std::to_string(kMostVisible));
      steps_.push_back(std::make_unique<VisibleBytes>());
      byte_level_ = false;
    }
    check_component_count(steps_.size(), field);
    description_ += (description_.empty() ? "" : "+") + type;
    if (type == "Split") {
      steps_.push_back(std::make_unique<Split>(read_pattern(field.get("pattern")),
                                               read_behavior(field.get("behavior")),
                                               flag(field, "invert", false)));
    } else if (type == "Digits") {
      steps_.push_back(std::make_unique<Digits>(flag(field, "individual_digits", false)));
    } else if (type == "ByteLevel") {
      read_byte_level(field);
    } else if (type == "Metaspace") {
      read_metaspace(field);
    } else {
      field.get("type").unsupported("found " + quote(type) +
                                    ", expected Split, ByteLevel, Digits, Metaspace or Sequence");
    }
  }

  PreTokenization finish() {
    PreTokenization result;
    if (!steps_.empty()) result.splitter = std::make_unique<Steps>(std::move(steps_));
    result.byte_level = byte_level_;
    result.description = description_;
    return result;
  }

 private:
  void read_sequence(const JsonField& members) {
    for (std::size_t i = 0; i < members.array_size(); ++i) read(members.element(i));
  }

  void read_byte_level(const JsonField& field) {
    if (flag(field, "add_prefix_space", true)) steps_.push_back(std::make_unique<PrefixSpace>());
    if (flag(field, "use_regex", true))
      steps_.push_back(std::make_unique<Split>(Regex(kGpt2Regex, Regex::Syntax::pattern, field),
                                               SplitBehavior::isolated, false));
    byte_level_ = true;
  }

  void read_metaspace(const JsonField& field) {
    Metaspace options = read_metaspace_options(field);
    if (options.prepend == Metaspace::Prepend::first && !steps_.empty())
      field.get("prepend_scheme").unsupported("found \"first\" after another pre-tokenizer");
    steps_.push_back(std::make_unique<MetaspaceSplit>(std::move(options)));
  }

  static constexpr int kMostVisible = 4;  // Each makes most bytes two.

  std::vector<std::unique_ptr<const PreTokenizer>> steps_;
  bool byte_level_ = false;
  int visible_ = 0;
  std::string description_;
};

}  // namespace

PreTokenization read_pre_tokenizer(const JsonField& field) {
  Reader reader;
  reader.read(field);
  return reader.finish();
}

}  // namespace mla
