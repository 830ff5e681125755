#include "formats/npy.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "mla/error.h"
#include "tensor/dtype.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
constexpr std::size_t kPreamble = kMagic.size() + 2;  // The magic and the header's length, u16.
constexpr std::string_view kDictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (";

/// The whole header, padded with spaces so that the values begin at a multiple of 64.
std::string header(std::size_t rows, std::size_t cols) {
  std::string text(kDictionary);
  text += std::to_string(rows) + ", " + std::to_string(cols) + "), }";
  text.append((64 - (kPreamble + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  std::string whole(kMagic);
  whole += static_cast<char>(text.size() & 0xffU);
  whole += static_cast<char>(text.size() >> 8);
  return whole + text;
}

/// Removes a decimal number from the front of `text`; nothing if there is none or it does not fit.
std::optional<std::size_t> take_number(std::string_view& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Removes the rest of a Python tuple, "3,)" or "3, 4)", up to the closing parenthesis.
std::optional<std::vector<std::size_t>> take_tuple(std::string_view& text) {
  std::vector<std::size_t> shape;
  while (!text.starts_with(")")) {
    if (!shape.empty()) {
      if (!text.starts_with(", ")) return std::nullopt;
      text.remove_prefix(2);
    }
    const std::optional<std::size_t> dimension = take_number(text);
    if (!dimension) return std::nullopt;
    shape.push_back(*dimension);
    if (shape.size() > 1) continue;
    if (!text.starts_with(",")) return std::nullopt;
    if (text.starts_with(",)")) text.remove_prefix(1);
  }
  return shape;
}

/// Reads the part of the header behind kDictionary: the shape, the end of the dictionary, the padding.
std::optional<std::vector<std::size_t>> parse_shape(std::string_view text) {
  std::optional<std::vector<std::size_t>> shape = take_tuple(text);
  if (!shape || !text.starts_with("), }") || !text.ends_with("\n")) return std::nullopt;
  const std::string_view padding = text.substr(4, text.size() - 5);
  return padding.find_first_not_of(' ') == std::string_view::npos ? shape : std::nullopt;
}

std::vector<std::size_t> parse_header(std::string_view text, const std::string& file) {
  if (!text.starts_with(kDictionary))
    throw Error(ErrorCode::unsupported, file, "header", "found another array than one of float32 in C order");
  const std::optional<std::vector<std::size_t>> shape = parse_shape(text.substr(kDictionary.size()));
  if (!shape) throw Error(ErrorCode::format, file, "header", "found a shape that cannot be read");
  if (shape->empty() || shape->size() > 2)
    throw Error(ErrorCode::unsupported, file, "header",
                "found " + std::to_string(shape->size()) + " dimensions, expected one or two");
  return *shape;
}

}  // namespace

NpyWriter::NpyWriter(const std::filesystem::path& path, std::size_t rows, std::size_t cols)
    : name_(path.string()), file_(path) {
  const std::optional<std::size_t> count = checked_multiply(rows, cols);
  if (!count) throw Error(ErrorCode::argument, name_, "", "the array's size does not fit into 64 bits");
  left_ = *count;
  const std::string head = header(rows, cols);
  file_.write(std::as_bytes(std::span(head)));
}

void NpyWriter::write(std::span<const float> values) {
  if (values.size() > left_) {
    throw Error(
        ErrorCode::argument, name_, "",
        "found " + std::to_string(values.size()) + " values, expected at most " + std::to_string(left_));
  }
  file_.write(std::as_bytes(values));
  left_ -= values.size();
}

void NpyWriter::commit() {
  if (left_ != 0)
    throw Error(ErrorCode::argument, name_, "", std::to_string(left_) + " values of the array are missing");
  file_.commit();
}

NpyArray read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string name = path.string();
  const std::span<const std::byte> bytes = file.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bytes.size() < kPreamble || !text.starts_with(kMagic))
    throw Error(ErrorCode::format, name, "", "expected a .npy file of version 1.0");
  const std::size_t length = load_unaligned<std::uint16_t>(bytes.data() + kMagic.size());
  if (length > bytes.size() - kPreamble)
    throw Error(ErrorCode::format, name, "header", "the file is truncated");
  NpyArray array;
  array.shape = parse_header(text.substr(kPreamble, length), name);
  const std::span<const std::byte> data = bytes.subspan(kPreamble + length);
  const std::optional<std::size_t> expected = byte_size(DType::f32, array.shape);
  if (!expected || data.size() != *expected) {
    throw Error(ErrorCode::format, name, "",
                "found " + std::to_string(data.size()) + " bytes of values, expected " +
                    (expected ? std::to_string(*expected) : "more than any file has"));
  }
  array.values.resize(data.size() / sizeof(float));
  if (!data.empty()) std::memcpy(array.values.data(), data.data(), data.size());
  return array;
}

}  // namespace mla
