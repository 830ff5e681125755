// Strict JSON: files of bounded size and depth, without duplicate keys, and fields read with their type and
// range checked. Every error names the file and the field.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace mla {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxJsonDepth = 64;

/// Bytes of a string, a number or a stretch of white space in a file. The parser has a value several times in memory.
inline constexpr std::size_t kLongestJsonValue = std::size_t{1} << 20;

/// Parses `text`; `source` is the file's name for errors. Throws Error(format) on a syntax error, on bad
/// UTF-8, on nesting deeper than kMaxJsonDepth and on a key that stands twice in one object; Error(limit) on a value of more
/// than some `longest_value` bytes.
Json parse_json(std::string_view text, const std::string& source,
                std::size_t longest_value = kLongestJsonValue);

/// Reads and parses a regular file of at most `max_bytes`. Throws Error(io), Error(limit) or Error(format). Where `kept` names
/// keys, the others of the outermost object are checked and left out: they take no memory.
Json read_json_file(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{1} << 28,
                    std::initializer_list<std::string_view> kept = {});

/// What config.json and the like may have: hundreds of times what they have. A value takes many times its text in memory.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

/// tokenizer_config.json lists some thousand tokens in Gemma's.
inline constexpr std::size_t kMaxTokenizerConfigBytes = std::size_t{4} << 20;

/// What nlohmann's exception says, without its number: "parse error at line 1, ...".
std::string json_reason(const std::exception& error);

/// What places of a document that was made of something else are called there.
using FieldNames = std::map<std::string, std::string, std::less<>>;

/// A value in a JSON document together with its place ("rope_scaling.factor"), for reading it strictly.
/// The document must outlive the field.
class JsonField {
 public:
  /// Errors say the names of places that `names` has together with the places; it must outlive the field.
  JsonField(const Json& value, std::string file, std::string place = {}, const FieldNames* names = nullptr)
      : value_(&value), file_(std::move(file)), place_(std::move(place)), names_(names) {}

  const Json& json() const { return *value_; }
  const std::string& file() const { return file_; }
  const std::string& place() const { return place_; }

  /// Object access. `get` throws Error(format) if the key is absent; `find` returns nothing if the key is
  /// absent or null.
  bool has(std::string_view key) const;
  JsonField get(std::string_view key) const;
  std::optional<JsonField> find(std::string_view key) const;

  /// Array access.
  std::size_t array_size() const;
  JsonField element(std::size_t index) const;

  std::int64_t as_int(std::int64_t least, std::int64_t greatest) const;
  double as_number() const;  ///< Finite.
  double as_number(double least, double greatest) const;
  bool as_bool() const;
  const std::string& as_string() const;
  const JsonField& expect_object() const;

  /// Throws Error(`code`) that names file and place.
  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void unsupported(const std::string& message) const;

 private:
  /// `place` as errors have it: "llama.rope.freq_base (rope_theta)".
  std::string shown(const std::string& place) const;

  const Json* value_;
  std::string file_;
  std::string place_;
  const FieldNames* names_;
};

}  // namespace mla
