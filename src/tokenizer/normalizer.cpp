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

class UnicodeForm final : public Normalizer {
 public:
  UnicodeForm(const JsonField& field, int options)
      : Normalizer(field), options_(static_cast<utf8proc_option_t>(options)) {}

  std::string transform(std::string text, RegexScratch&, const TextGrowth& growth) const override {
    if (is_ascii(text)) return text;
    // Characters that the reference's older tables do not know stay as they are, and nothing moves across
    // them.
    std::string result;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint point = code_point_at(text, at);
      if (is_opaque_to_normalization(point.value)) {
        append_mapped(std::string_view(text).substr(begin, at - begin), growth, result);
        result.append(text, at, point.length);
        begin = at + point.length;
      }
      at += point.length;
    }
    append_mapped(std::string_view(text).substr(begin), growth, result);
    return result;
  }

 private:
  void append_mapped(std::string_view text, const TextGrowth& growth, std::string& result) const {
    if (text.empty()) return;
    const auto* const bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    const auto size = static_cast<utf8proc_ssize_t>(text.size());
    constexpr std::size_t kMostOfOneByte = 6;  // U+FDFA, three bytes, is 18 code points long.
    if (text.size() > growth.most / kMostOfOneByte) {
      const utf8proc_ssize_t code_points = utf8proc_decompose(bytes, size, nullptr, 0, options_);
      if (code_points > 0) check_growth(static_cast<std::size_t>(code_points), growth);
    }
    utf8proc_uint8_t* mapped = nullptr;
    const utf8proc_ssize_t length = utf8proc_map(bytes, size, &mapped, options_);
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (length < 0)
      throw Error(ErrorCode::limit, "the text cannot be normalized: " + std::string(utf8proc_errmsg(length)));
    result.append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
    check_growth(result.size(), growth);
  }

  utf8proc_option_t options_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(const JsonField& field) : Normalizer(field), prefix_(field.get("prepend").as_string()) {}

  std::string transform(std::string text, RegexScratch&, const TextGrowth&) const override {
    return text.empty() ? text : prefix_ + text;
  }

 private:
  std::string prefix_;
};

class Replace final : public Normalizer {
 public:
  explicit Replace(const JsonField& field)
      : Normalizer(field),
        pattern_(read_pattern(field.get("pattern"))),
        content_(field.get("content").as_string()) {}

  std::string transform(std::string text, RegexScratch& scratch, const TextGrowth& growth) const override {
    std::string result;
    std::size_t copied = 0;
    pattern_.find_all(text, scratch, [&](RegexMatch match) {
      check_growth(result.size() + (match.begin - copied) + content_.size(), growth);
      result.append(text, copied, match.begin - copied).append(content_);
      copied = match.end;
    });
    if (copied == 0 && result.empty()) return text;
    return result.append(text, copied);
  }

 private:
  Regex pattern_;
  std::string content_;
};

class Lowercase final : public Normalizer {
 public:
  explicit Lowercase(const JsonField& field) : Normalizer(field) {}

  std::string transform(std::string text, RegexScratch&, const TextGrowth&) const override {
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
  explicit NormalizerSequence(const JsonField& members) : Normalizer(members) {
    check_component_count(members.array_size(), members);
    for (std::size_t i = 0; i < members.array_size(); ++i) members_.push_back(from_json(members.element(i)));
  }

  std::string transform(std::string text, RegexScratch& scratch, const TextGrowth& growth) const override {
    for (const auto& member : members_) text = member->apply(std::move(text), scratch, growth);
    return text;
  }

 private:
  std::vector<std::unique_ptr<const Normalizer>> members_;
};

}  // namespace

std::string Normalizer::apply(std::string text, RegexScratch& scratch, const TextGrowth& growth) const {
  std::string result = transform(std::move(text), scratch, growth);
  check_growth(result.size(), growth);
  return result;
}

void Normalizer::check_growth(std::size_t bytes, const TextGrowth& growth) const {
  if (bytes <= growth.most) return;
  throw Error(ErrorCode::limit, file_, field_,
              "makes a text of " + std::to_string(growth.before) + " bytes more than " +
                  std::to_string(TextGrowth::kMost) + " times as long");
}

std::unique_ptr<const Normalizer> Normalizer::from_json(const JsonField& field) {
  const std::string& type = field.get("type").as_string();
  constexpr int kCompose = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  constexpr int kDecompose = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  if (type == "NFC") return std::make_unique<UnicodeForm>(field, kCompose);
  if (type == "NFD") return std::make_unique<UnicodeForm>(field, kDecompose);
  if (type == "NFKC") return std::make_unique<UnicodeForm>(field, kCompose | UTF8PROC_COMPAT);
  if (type == "NFKD") return std::make_unique<UnicodeForm>(field, kDecompose | UTF8PROC_COMPAT);
  if (type == "Prepend") return std::make_unique<Prepend>(field);
  if (type == "Replace") return std::make_unique<Replace>(field);
  if (type == "Lowercase") return std::make_unique<Lowercase>(field);
  if (type == "Sequence") return std::make_unique<NormalizerSequence>(field.get("normalizers"));
  field.get("type").unsupported("found " + quote(type) +
                                ", expected NFC, NFD, NFKC, NFKD, Prepend, Replace, Lowercase or Sequence");
}

}  // namespace mla
