// GGUF files, versions 2 and 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.h"

namespace mla {

class GgufReader;

/// The numbers of the metadata types as they stand in the file.
enum class GgufType : std::uint32_t {
  uint8 = 0,
  int8 = 1,
  uint16 = 2,
  int16 = 3,
  uint32 = 4,
  int32 = 5,
  float32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  uint64 = 10,
  int64 = 11,
  float64 = 12
};

/// A value of the metadata. Strings look into the mapped file and are not checked for UTF-8. An array holds one of four kinds, whatever the width
/// of its elements is in the file; arrays of arrays are not supported.
struct GgufValue {
  using Integers = std::vector<std::int64_t>;  ///< A uint64 beyond int64 is an error.
  using Numbers = std::vector<double>;
  using Strings = std::vector<std::string_view>;
  using Booleans = std::vector<bool>;

  GgufType type = GgufType::uint32;
  GgufType element_type = GgufType::uint32;  ///< Of an array.
  std::variant<std::int64_t, double, bool, std::string_view, Integers, Numbers, Booleans, Strings> value;
};

/// A tensor as the file tells of it.
struct GgufTensor {
  std::string_view name;
  std::string_view dtype;          ///< "Q4_K" and so on, as ggml names it.
  std::vector<std::size_t> shape;  ///< Outermost dimension first: the file has them the other way round.
  std::span<const std::byte> data;
};

/// A GGUF file, mapped and not copied: all views are valid as long as it lives. Everything is checked on opening,
/// so that no view reaches outside the file; the tensors' data are not touched. Keys and names of tensors are valid
/// UTF-8. A model may lie in several files: see formats/gguf_parts.h.
class GgufFile {
 public:
  /// Throws Error(io); Error(format) for what is malformed or truncated; Error(unsupported) for a version, a metadata
  /// type or a tensor type mla does not know. Each names the file and the key or tensor.
  explicit GgufFile(const std::filesystem::path& path);

  const std::string& name() const { return name_; }  ///< The path as given, for errors.
  std::uint32_t version() const { return version_; }
  std::size_t alignment() const { return alignment_; }

  /// In the order of the file; names are unique.
  std::span<const GgufTensor> tensors() const { return tensors_; }
  const GgufTensor* find_tensor(std::string_view name) const;

  /// In the order of their keys.
  const std::map<std::string_view, GgufValue>& metadata() const { return metadata_; }
  const GgufValue* find(std::string_view key) const;

  /// The value of a key; nothing if it is absent. Throw Error(format) that names file and key if it has another type
  /// or is out of range. Integers of every width and sign count as integers, both widths of floats as numbers.
  std::optional<std::string_view> string(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t greatest) const;
  /// The id of one of `vocabulary` tokens, at most 2^31. Nothing, too, where a converter wrote -1 as a uint32 for "no such token".
  std::optional<std::int32_t> token(std::string_view key, std::int64_t vocabulary) const;
  std::optional<double> number(std::string_view key) const;  ///< Finite.
  std::optional<bool> boolean(std::string_view key) const;
  const GgufValue::Strings* strings(std::string_view key) const;  ///< Null if absent.
  const GgufValue::Integers* integers(std::string_view key) const;
  const GgufValue::Numbers* numbers(std::string_view key) const;  ///< Not checked to be finite.
  const GgufValue::Booleans* booleans(std::string_view key) const;

  /// Throws Error that names the file and the key.
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;
  [[noreturn]] void unsupported(std::string_view key, const std::string& message) const;

 private:
  void read_metadata(GgufReader& in, std::size_t count);
  void index_tensors();
  /// The value of a key, null if it is absent; throws as above if it is no T.
  template <typename T>
  const T* find_as(std::string_view key, std::string_view expected) const;

  MappedFile file_;
  std::string name_;
  std::uint32_t version_ = 0;
  std::size_t alignment_ = 32;
  std::map<std::string_view, GgufValue> metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<std::size_t> by_name_;  // Indices of tensors_, sorted by name.
};

}  // namespace mla
