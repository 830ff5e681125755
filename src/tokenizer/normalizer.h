// The normalizers of tokenizer.json: what happens to text before it is split.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/json.h"
#include "tokenizer/regex.h"

namespace mla {

/// How many bytes a normalizer may make of a text, all of its pieces together: a file of a few lines could make it any
/// length, since each Replace of a sequence can double it. NFKC needs 11 times, and 4 bytes a code point while it works.
struct TextGrowth {
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kMostOfAnyText = std::size_t{4} << 10;

  explicit TextGrowth(std::size_t bytes) : before(bytes), most(kMostOfAnyText + kMost * bytes) {}

  std::size_t before;  ///< Bytes of the text.
  std::size_t most;    ///< What may still be made of it.
};

class Normalizer {
 public:
  virtual ~Normalizer() = default;

  /// `text` is valid UTF-8, before and after. Nothing on the way is longer than `growth` allows, but for UTF-32 of that
  /// many code points. Throws Error(limit).
  std::string apply(std::string text, RegexScratch& scratch, const TextGrowth& growth) const;

  /// From the object at `field`. Throws Error(format, unsupported).
  static std::unique_ptr<const Normalizer> from_json(const JsonField& field);

 protected:
  explicit Normalizer(const JsonField& field) : file_(field.file()), field_(field.place()) {}

  virtual std::string transform(std::string text, RegexScratch& scratch, const TextGrowth& growth) const = 0;
  /// For what has become this long. Throws Error(limit).
  void check_growth(std::size_t bytes, const TextGrowth& growth) const;

 private:
  std::string file_;
  std::string field_;
};

}  // namespace mla
