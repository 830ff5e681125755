#include "tokenizer/normalizer.h"

#include <utf8proc.h>

#include <cstdlib>
#include <vector>

#include "mla/error.h"
#include "tokenizer/component_count.h"
#include "tokenizer/pattern.h"
#include "tokenizer/quote.h"
#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace mla {
namespace {

// A file of a few lines could make a text of any length: each Replace of a sequence doubles it.
constexpr std::size_t kMostGrowth = 64;
constexpr std::size_t kMostOfAnyText = std::size_t{1} << 16;

/// Where a normalizer stands, for what is noticed only when it is used.
struct Place {
  explicit Place(const JsonField& json) : file(json.file()), field(json.place()) {}

  void check_growth(std::size_t before, std::size_t after) const {
    if (after <= kMostOfAnyText || (after - kMostOfAnyText) / kMostGrowth <= before) return;
    throw Error(ErrorCode::limit, file, field,
                "makes a text of " + std::to_string(before) + " bytes more than " +
                    std::to_string(kMostGrowth) + " times as long");
  }

  std::string file;
  std::string field;
};

class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(int options) : options_(options) {}

  std::string apply(std::string text, RegexScratch&) const override {
    if (is_ascii(text)) return text;
    // Characters that the reference's older tables do not know stay as they are, and nothing moves across
    // them.
    std::string result;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      if (is_opaque_to_normalization(point.value)) {
        append_mapped(std::string_view(text).substr(begin, at - begin), result);
        result.append(text, at, point.length);
        begin = at + point.length;
      }
      at += point.length;
    }
    append_mapped(std::string_view(text).substr(begin), result);
    return result;
  }

 private:
  void append_mapped(std::string_view text, std::string& result) const {
    if (text.empty()) return;
    utf8proc_uint8_t* mapped = nullptr;
    const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                                 static_cast<utf8proc_option_t>(options_));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (length < 0)
      throw Error(ErrorCode::limit, "the text cannot be normalized: " + std::string(utf8proc_errmsg(length)));
    result.append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
  }

  int options_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string apply(std::string text, RegexScratch&) const override {
    return text.empty() ? text : prefix_ + text;
  }

 private:
  std::string prefix_;
};

class Replace final : public Normalizer {
 public:
  explicit Replace(const JsonField& field)
      : place_(field),
        pattern_(read_pattern(field.get("pattern"))),
        content_(field.get("content").as_string()) {}

  std::string apply(std::string text, RegexScratch& scratch) const override {
    std::string result;
    std::size_t copied = 0;
    pattern_.find_all(text, scratch, [&](RegexMatch match) {
      place_.check_growth(text.size(), result.size() + content_.size());
      result.append(text, copied, match.begin - copied).append(content_);
      copied = match.end;
    });
    if (copied == 0 && result.empty()) return text;
    return result.append(text, copied);
  }

 private:
  Place place_;
  Regex pattern_;
  std::string content_;
};

class Lowercase final : public Normalizer {
 public:
  std::string apply(std::string text, RegexScratch&) const override {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      at += point.length;
      if (point.value == 0x130)  // The one character whose lowercase is two.
        result.append("i\xCC\x87");
      else
        append_utf8(result, lowercase(point.value));
    }
    return result;
  }
};

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(const JsonField& members) : place_(members) {
    check_component_count(members.array_size(), members);
    for (std::size_t i = 0; i < members.array_size(); ++i) members_.push_back(from_json(members.element(i)));
  }

  std::string apply(std::string text, RegexScratch& scratch) const override {
    const std::size_t before = text.size();
    for (const auto& member : members_) {
      text = member->apply(std::move(text), scratch);
      place_.check_growth(before, text.size());
    }
    return text;
  }

 private:
  Place place_;
  std::vector<std::unique_ptr<const Normalizer>> members_;
};

}  // namespace

std::unique_ptr<const Normalizer> Normalizer::from_json(const JsonField& field) {
  const std::string& type = field.get("type").as_string();
  constexpr int kCompose = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  constexpr int kDecompose = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  if (type == "NFC") return std::make_unique<UnicodeForm>(kCompose);
  if (type == "NFD") return std::make_unique<UnicodeForm>(kDecompose);
  if (type == "NFKC") return std::make_unique<UnicodeForm>(kCompose | UTF8PROC_COMPAT);
  if (type == "NFKD") return std::make_unique<UnicodeForm>(kDecompose | UTF8PROC_COMPAT);
  if (type == "Prepend") return std::make_unique<Prepend>(field.get("prepend").as_string());
  if (type == "Replace") return std::make_unique<Replace>(field);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Sequence") return std::make_unique<NormalizerSequence>(field.get("normalizers"));
  field.get("type").unsupported("found " + quote(type) +
                                ", expected NFC, NFD, NFKC, NFKD, Prepend, Replace, Lowercase or Sequence");
}

}  // namespace mla
