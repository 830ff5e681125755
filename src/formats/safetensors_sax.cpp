#include "formats/safetensors_sax.h"

#include <utility>

#include "base/json.h"
#include "base/json_text.h"
#include "mla/error.h"

namespace mla {
namespace {

constexpr std::size_t kMostDimensions =
    64;  // Frameworks have no more; what a model needs is looked at later.

// In memory. Trainers write what they trained with, which is some hundred KB.
constexpr std::size_t kMostMetadata = std::size_t{16} << 20;

/// A state machine over nlohmann's SAX events. The parser guarantees that they nest and that keys come in
/// objects.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  HeaderReader(JsonText& text, std::vector<RawSafetensorsEntry>& entries,
               std::map<std::string, std::string>& metadata)
      : text_(text), file_(text.source()), entries_(entries), metadata_(metadata) {}

  bool null() override { return state_ == State::metadata ? to(State::root) : other_value("null"); }
  bool boolean(bool value) override { return other_value(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return other_value(value == 0 ? "-0" : std::to_string(value));
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override { return other_value(text); }
  bool binary(binary_t& /*value*/) override { return other_value("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::shape_items) {
      if (entries_.back().shape.size() == kMostDimensions)
        fail("found more than " + std::to_string(kMostDimensions) + " dimensions");
      entries_.back().shape.push_back(value);
      return true;
    }
    if (state_ == State::offset_items) {
      if (offsets_ == 2) fail("found more than two offsets, expected [begin, end]");
      (offsets_ == 0 ? entries_.back().begin : entries_.back().end) = value;
      ++offsets_;
      return true;
    }
    return other_value(std::to_string(value));
  }

  bool string(string_t& value) override {
    if (state_ == State::metadata_value) {
      take_metadata(key_.size() + value.size());
      if (!metadata_.emplace(key_, std::move(value)).second) fail("the key stands twice");
      return to(State::metadata_keys);
    }
    if (state_ == State::dtype) {
      entries_.back().dtype = std::move(value);
      return to(State::fields);
    }
    return other_value("a string");
  }

  bool start_object(std::size_t /*size*/) override {
    switch (state_) {
      case State::document:
        return to(State::root);
      case State::metadata:
        return to(State::metadata_keys);
      case State::entry:
        return to(State::fields);
      case State::skipped:
        return descend();
      default:
        return other_value("an object");
    }
  }

  bool key(string_t& name) override {
    switch (state_) {
      case State::root:
        return tensor_key(name);
      case State::metadata_keys:
        key_ = std::move(name);
        return to(State::metadata_value);
      case State::fields:
        return field_key(name);
      default:
        return true;  // Within a skipped value.
    }
  }

  bool end_object() override {
    if (state_ == State::skipped) return ascend();
    if (state_ == State::fields) check_complete();
    return to(state_ == State::root ? State::document : State::root);
  }

  bool start_array(std::size_t /*size*/) override {
    switch (state_) {
      case State::shape:
        return to(State::shape_items);
      case State::offsets:
        return to(State::offset_items);
      case State::skipped:
        return descend();
      default:
        return other_value("an array");
    }
  }

  bool end_array() override {
    if (state_ == State::skipped) return ascend();
    if (state_ == State::offset_items && offsets_ != 2) fail("found too few offsets, expected [begin, end]");
    return to(State::fields);
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    throw Error(ErrorCode::format, file_, "", "the header is not valid JSON: " + json_reason(error));
  }

 private:
  enum class State {
    document,        // Expects the header's object, or its end.
    root,            // Expects a tensor's name or __metadata__.
    metadata,        // Expects the value of __metadata__.
    metadata_keys,   // Within it, expects a key ...
    metadata_value,  // ... and its value.
    entry,           // Expects a tensor's object.
    fields,          // Within it, expects a key.
    dtype,           // Expects the value of that field.
    shape,
    shape_items,
    offsets,
    offset_items,
    skipped,  // Expects or is within the value of a field that safetensors does not define.
  };

  bool to(State state) {
    text_.value_seen();
    state_ = state;
    return true;
  }

  void take_metadata(std::size_t characters) {
    constexpr std::size_t kMapEntryBytes = 128;
    metadata_bytes_ += kMapEntryBytes + characters;
    if (metadata_bytes_ > kMostMetadata)
      throw Error(ErrorCode::limit, file_, "__metadata__",
                  "found more than " + std::to_string(kMostMetadata) + " bytes");
  }

  bool tensor_key(string_t& name) {
    if (name == "__metadata__") {
      if (std::exchange(seen_metadata_, true)) throw Error(ErrorCode::format, file_, name, "stands twice");
      return to(State::metadata);
    }
    entries_.emplace_back().name = std::move(name);
    seen_dtype_ = seen_shape_ = seen_offsets_ = false;
    offsets_ = 0;
    return to(State::entry);
  }

  bool field_key(const string_t& name) {
    if (name == "dtype") return to_field(seen_dtype_, State::dtype);
    if (name == "shape") return to_field(seen_shape_, State::shape);
    if (name == "data_offsets") return to_field(seen_offsets_, State::offsets);
    return to(State::skipped);
  }

  bool to_field(bool& seen, State state) {
    to(state);
    if (std::exchange(seen, true)) fail("the key stands twice");
    return true;
  }

  bool descend() {
    if (++skipped_depth_ > kMaxJsonDepth)
      fail("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    return true;
  }

  bool ascend() {
    if (--skipped_depth_ == 0) state_ = State::fields;
    return true;
  }

  /// A value where the state does not take it, unless a skipped field has it.
  bool other_value(const std::string& found) {
    if (state_ != State::skipped) fail("found " + found + ", expected " + expected());
    return to(skipped_depth_ == 0 ? State::fields : State::skipped);
  }

  void check_complete() {
    const std::string& name = entries_.back().name;
    if (!seen_dtype_) throw Error(ErrorCode::format, file_, name + ".dtype", "missing");
    if (!seen_shape_) throw Error(ErrorCode::format, file_, name + ".shape", "missing");
    if (!seen_offsets_) throw Error(ErrorCode::format, file_, name + ".data_offsets", "missing");
  }

  std::string place() const {
    switch (state_) {
      case State::metadata:
        return "__metadata__";
      case State::metadata_value:
        return "__metadata__." + key_;
      case State::dtype:
        return entries_.back().name + ".dtype";
      case State::shape:
      case State::shape_items:
        return entries_.back().name + ".shape";
      case State::offsets:
      case State::offset_items:
        return entries_.back().name + ".data_offsets";
      default:
        return entries_.empty() ? "" : entries_.back().name;
    }
  }

  const char* expected() const {
    switch (state_) {
      case State::metadata:
        return "an object of strings";
      case State::metadata_value:
      case State::dtype:
        return "a string";
      case State::shape:
        return "an array of integers";
      case State::shape_items:
      case State::offset_items:
        return "an integer of at least 0";
      case State::offsets:
        return "[begin, end]";
      default:
        return "an object";
    }
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ErrorCode::format, file_, place(), message);
  }

  JsonText& text_;
  const std::string& file_;
  std::vector<RawSafetensorsEntry>& entries_;
  std::map<std::string, std::string>& metadata_;
  State state_ = State::document;
  std::string key_;
  std::size_t metadata_bytes_ = 0;
  std::size_t offsets_ = 0;
  std::size_t skipped_depth_ = 0;
  bool seen_metadata_ = false;
  bool seen_dtype_ = false;
  bool seen_shape_ = false;
  bool seen_offsets_ = false;
};

}  // namespace

void read_safetensors_json(std::string_view json, const std::string& file,
                           std::vector<RawSafetensorsEntry>& entries,
                           std::map<std::string, std::string>& metadata) {
  // Said by the format; it also keeps out the byte order mark that the parser would skip.
  if (json.empty() || json.front() != '{')
    throw Error(ErrorCode::format, file, "", "found a header that does not begin with '{'");
  JsonText text(json, file);
  HeaderReader reader(text, entries, metadata);
  Json::sax_parse(text.begin(), text.end(), &reader);
}

}  // namespace mla
