// Reading the head of a GGUF file (metadata and tensor infos) value by value, never beyond its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tensor/scalar.h"

namespace mla {

/// Every method that reads throws Error(format) that names the file and `field` if the bytes are not there.
class GgufReader {
 public:
  /// A head is no longer than this: it bounds the memory that a file can ask for. Vocabularies take some 20 MB.
  static constexpr std::size_t kMaxHeadBytes = 100'000'000;
  /// What all arrays together may take in memory, for the same reason: an element of a byte takes eight there.
  /// Vocabularies of 260,000 tokens take some 16 MB.
  static constexpr std::size_t kMaxElementBytes = 48'000'000;

  GgufReader(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  const std::string& file() const { return file_; }
  /// How many bytes have been read.
  std::size_t position() const { return position_; }

  template <typename T>
  T take(std::string_view field) {
    const std::size_t at = position_;
    skip(sizeof(T), field);
    return load_unaligned<T>(bytes_.data() + at);
  }

  /// A length and as many bytes, which stay where they are.
  std::string_view take_string(std::string_view field);

  /// A key or the name of a tensor: valid UTF-8 of 1 to `most` bytes.
  std::string_view take_name(std::string_view field, std::size_t most);

  /// A count of things that take at least `least_bytes` each, no more than `most`: there is room for so many.
  std::size_t take_count(std::string_view field, std::size_t least_bytes, std::size_t most);

  /// A count of elements of an array, each of which takes `memory_bytes` when it is read. All arrays of the file have to
  /// share kMaxElementBytes.
  std::size_t take_element_count(std::string_view field, std::size_t least_bytes, std::size_t memory_bytes);

  [[noreturn]] void fail(std::string_view field, const std::string& message) const;
  [[noreturn]] void unsupported(std::string_view field, const std::string& message) const;

 private:
  /// How many bytes may still be read.
  std::size_t left() const;
  void skip(std::size_t count, std::string_view field);
  [[noreturn]] void fail_short(std::string_view field, std::uint64_t wanted) const;

  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::size_t position_ = 0;
  std::size_t element_bytes_ = 0;  // Of all arrays up to here.
};

}  // namespace mla
