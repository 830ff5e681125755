// Makes a document of a JSON parser's events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/json_text.h"

namespace mla {

/// Takes the events of nlohmann's parser, and refuses what parse_json refuses. (The parser's own way of watching it, a callback,
/// looks through all members of an object or array whenever one of them that is an object ends.)
class JsonBuilder {
 public:
  /// Where `kept` names keys, the others of the outermost object are checked and left out. `text` and `kept` must outlive the
  /// builder.
  explicit JsonBuilder(JsonText& text, std::span<const std::string_view> kept = {})
      : text_(text), kept_(kept) {}

  Json take() { return std::move(root_); }

  /// Of the objects and arrays around the place in the text.
  std::size_t depth() const { return open_.size(); }
  const std::string& last_key() const { return key_; }

  bool null() { return value(nullptr); }
  bool boolean(bool flag) { return value(flag); }
  bool number_integer(std::int64_t number) { return value(number); }
  bool number_unsigned(std::uint64_t number) { return value(number); }
  bool number_float(double number, const std::string& /*text*/) { return value(number); }
  bool string(std::string& text) { return value(std::move(text)); }
  bool binary(Json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) { return open(Json::array()); }
  bool key(std::string& name);
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error);

 private:
  struct Level {
    Json* json = nullptr;           ///< Null if it is left out.
    std::set<std::string> skipped;  ///< Keys whose values are left out.
  };

  [[noreturn]] void fail(const std::string& field, const std::string& message) const;
  Json* place(Json value);
  bool open(Json container);
  bool close();

  template <typename T>
  bool value(T&& scalar) {
    place(Json(std::forward<T>(scalar)));
    return true;
  }

  JsonText& text_;
  std::span<const std::string_view> kept_;
  Json root_;
  std::vector<Level> open_;
  std::string key_;
  bool skips_ = false;  ///< The value of key_ is left out.
};

}  // namespace mla
