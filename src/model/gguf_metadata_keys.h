// The metadata of a GGUF model, read strictly, with a record of what was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf_parts.h"

namespace mla {

/// Keys are given without the architecture's name in front ("attention.head_count"). The parts must outlive the object.
/// What throws, throws Error that names the file and the whole key.
class GgufKeys {
 public:
  /// Throws Error(format) if there is no `general.architecture`, Error(unsupported) if mla does not know it.
  explicit GgufKeys(const GgufParts& parts);

  const GgufParts& parts() const { return parts_; }
  const GgufFile& file() const { return parts_.first(); }
  std::string_view architecture() const { return architecture_; }

  /// Whole numbers in [least, 2^31 - 1].
  std::optional<std::size_t> find_size(std::string_view key, std::int64_t least = 1);
  std::size_t size(std::string_view key, std::int64_t least = 1);  ///< Error(format) if it is absent.
  /// The same, or an array of equal numbers, one for each layer; Error(unsupported) if they are not equal.
  std::size_t size_of_layers(std::string_view key, std::size_t layers, std::int64_t least = 1);
  std::optional<double> find_number(std::string_view key);
  double number(std::string_view key);
  std::optional<bool> find_flag(std::string_view key);
  std::optional<std::string_view> find_text(std::string_view key);

  /// Counts the key as read.
  void skip(std::string_view key) { full(key); }
  /// Throws Error(unsupported) if the key is there with another value than `neutral`, with which it changes nothing.
  void expect_number(std::string_view key, double neutral);
  void expect_size(std::string_view key, std::int64_t neutral);

  bool has(std::string_view key) const;
  bool has_tensor(std::string_view name) const { return parts_.find_tensor(name).tensor != nullptr; }

  [[noreturn]] void fail(std::string_view key, const std::string& message) const;
  [[noreturn]] void unsupported(std::string_view key, const std::string& message) const;

  /// The keys of the file that nobody asked for, but for those of the tokenizer and of the file's own form.
  std::vector<std::string> unread() const;

 private:
  std::string name_of(std::string_view key) const;
  std::string full(std::string_view key);  ///< The same, and counts it as read.

  const GgufParts& parts_;
  std::string_view architecture_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace mla
