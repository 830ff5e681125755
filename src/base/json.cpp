#include "base/json.h"

#include <cmath>
#include <span>

#include "base/json_builder.h"
#include "base/json_text.h"
#include "mla/error.h"

namespace mla {
namespace {

Json parse(JsonText& text, std::span<const std::string_view> kept) {
  JsonBuilder builder(text, kept);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

/// What `value` is, for "found ..." in a message.
std::string describe(const Json& value) {
  if (value.is_object() || value.is_array()) return std::string("an ") + value.type_name();
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 60) + "...";
  return text;
}

std::string range(const std::string& kind, double least, double greatest) {
  char buffer[96];
  std::snprintf(buffer, sizeof buffer, " in [%.10g, %.10g]", least, greatest);
  return kind + buffer;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source, std::size_t longest_value) {
  JsonText characters(text, source, longest_value);
  return parse(characters, {});
}

Json read_json_file(const std::filesystem::path& path, std::size_t max_bytes,
                    std::initializer_list<std::string_view> kept) {
  JsonText characters(path, max_bytes);
  return parse(characters, kept);
}

std::string json_reason(const std::exception& error) {
  const std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at ..."
  const std::size_t end = reason.find("] ");
  return end == std::string::npos ? reason : reason.substr(end + 2);
}

bool JsonField::has(std::string_view key) const {
  return find(key).has_value();
}

JsonField JsonField::get(std::string_view key) const {
  expect_object();
  const std::string place = place_.empty() ? std::string(key) : place_ + "." + std::string(key);
  const auto it = value_->find(key);
  if (it == value_->end()) throw Error(ErrorCode::format, file_, shown(place), "missing");
  return JsonField(*it, file_, place, names_);
}

std::optional<JsonField> JsonField::find(std::string_view key) const {
  expect_object();
  const auto it = value_->find(key);
  if (it == value_->end() || it->is_null()) return std::nullopt;
  return get(key);
}

std::size_t JsonField::array_size() const {
  if (!value_->is_array()) fail("found " + describe(*value_) + ", expected an array");
  return value_->size();
}

JsonField JsonField::element(std::size_t index) const {
  if (index >= array_size())
    fail("found " + std::to_string(array_size()) + " elements, expected more than " + std::to_string(index));
  return JsonField(value_->at(index), file_, place_ + "[" + std::to_string(index) + "]", names_);
}

std::int64_t JsonField::as_int(std::int64_t least, std::int64_t greatest) const {
  const bool fits = value_->is_number_integer() &&
                    !(value_->is_number_unsigned() && value_->get<std::uint64_t>() > INT64_MAX);
  if (!fits || value_->get<std::int64_t>() < least || value_->get<std::int64_t>() > greatest)
    fail("found " + describe(*value_) + ", expected an integer in [" + std::to_string(least) + ", " +
         std::to_string(greatest) + "]");
  return value_->get<std::int64_t>();
}

double JsonField::as_number() const {
  if (!value_->is_number() || !std::isfinite(value_->get<double>()))
    fail("found " + describe(*value_) + ", expected a finite number");
  return value_->get<double>();
}

double JsonField::as_number(double least, double greatest) const {
  const double number = as_number();
  if (number < least || number > greatest)
    fail("found " + describe(*value_) + ", expected " + range("a number", least, greatest));
  return number;
}

bool JsonField::as_bool() const {
  if (!value_->is_boolean()) fail("found " + describe(*value_) + ", expected true or false");
  return value_->get<bool>();
}

const std::string& JsonField::as_string() const {
  if (!value_->is_string()) fail("found " + describe(*value_) + ", expected a string");
  return value_->get_ref<const std::string&>();
}

const JsonField& JsonField::expect_object() const {
  if (!value_->is_object()) fail("found " + describe(*value_) + ", expected an object");
  return *this;
}

std::string JsonField::shown(const std::string& place) const {
  if (names_ == nullptr) return place;
  const auto name = names_->find(place);
  return name == names_->end() ? place : std::string(name->second).append(" (").append(place).append(")");
}

void JsonField::fail(const std::string& message) const {
  throw Error(ErrorCode::format, file_, shown(place_), message);
}

void JsonField::unsupported(const std::string& message) const {
  throw Error(ErrorCode::unsupported, file_, shown(place_), message);
}

}  // namespace mla
