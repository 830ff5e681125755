// The text that a JSON parser reads, from memory or from a file in pieces: a broken file costs no more memory than what was
// made of it so far.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace mla {

/// Hands out characters, and refuses what JSON does not have and the parser would take: a NUL byte (it is the end of the text
/// there) and a byte order mark. A Git LFS pointer is refused as such.
class JsonText {
 public:
  /// `text` must outlive the object; `source` is its name for errors. A value of more than some `longest_value` bytes is refused.
  JsonText(std::string_view text, std::string source, std::size_t longest_value = kLongestJsonValue);
  /// A regular file of at most `max_bytes`. Throws Error(io), Error(limit).
  JsonText(const std::filesystem::path& file, std::size_t max_bytes);
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  const std::string& source() const { return source_; }
  std::size_t size() const { return size_; }  ///< Bytes of the whole text.

  /// What the parser's events tell: a value has ended.
  void value_seen() { since_value_ = 0; }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    explicit Iterator(JsonText* text = nullptr) : text_(text) {}
    reference operator*() const {
      if (*text_->next_ == '\0') text_->refuse_nul();
      return *text_->next_;
    }
    Iterator& operator++() {
      if (++text_->next_ == text_->end_) text_->refill();
      return *this;
    }
    void operator++(int) { ++*this; }
    /// All iterators of a text are at the same place; the one without a text is its end.
    bool operator==(const Iterator& other) const { return at_end() == other.at_end(); }

   private:
    bool at_end() const { return text_ == nullptr || text_->next_ == text_->end_; }

    JsonText* text_;
  };

  Iterator begin() { return Iterator(this); }
  Iterator end() { return Iterator(); }

 private:
  void start();
  void refill();
  [[noreturn]] void refuse_nul() const;

  std::string source_;
  std::size_t size_;
  std::size_t longest_value_ = kLongestJsonValue;
  std::string_view rest_;  ///< Of a text in memory, behind the piece in use.
  std::optional<FileReader> file_;
  std::size_t left_ = 0;      ///< Of the file.
  std::vector<char> buffer_;  ///< A piece of it.
  const char* next_ = nullptr;
  const char* end_ = nullptr;
  std::size_t since_value_ = 0;  ///< Whole pieces without the end of a value.
};

}  // namespace mla
