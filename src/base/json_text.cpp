#include "base/json_text.h"

#include <algorithm>
#include <utility>

#include "base/lfs_pointer.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;

}  // namespace

JsonText::JsonText(std::string_view text, std::string source, std::size_t longest_value)
    : source_(std::move(source)), size_(text.size()), longest_value_(longest_value), rest_(text) {
  start();
}

JsonText::JsonText(const std::filesystem::path& file, std::size_t max_bytes)
    : source_(file.string()), size_(0), file_(std::in_place, file, max_bytes) {
  size_ = file_->size();
  left_ = size_;
  buffer_.resize(std::min(kPiece, size_ + 1));
  start();
}

void JsonText::start() {
  refill();
  const std::string_view first(next_, static_cast<std::size_t>(end_ - next_));
  refuse_lfs_pointer(first, source_);
  if (first.starts_with("\xEF\xBB\xBF"))
    throw Error(ErrorCode::format, source_, "", "not valid JSON: found a byte order mark");
}

void JsonText::refill() {
  std::string_view piece;
  if (file_) {
    const std::size_t size =
        std::min(buffer_.size(), left_);  // What is written to the file meanwhile is not read.
    piece = std::string_view(buffer_.data(), file_->read(std::span(buffer_).first(size)));
    left_ -= piece.size();
  } else {
    piece = rest_.substr(0, kPiece);
    rest_.remove_prefix(piece.size());
  }
  next_ = piece.data();
  end_ = next_ + piece.size();
  since_value_ += piece.size();
  if (since_value_ > 2 * kPiece && since_value_ - 2 * kPiece > longest_value_)
    throw Error(ErrorCode::limit, source_, "",
                "found a value of more than " + std::to_string(longest_value_) + " bytes");
}

void JsonText::refuse_nul() const {
  throw Error(ErrorCode::format, source_, "", "not valid JSON: found a NUL byte");
}

}  // namespace mla
