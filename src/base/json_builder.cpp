#include "base/json_builder.h"

#include <algorithm>
#include <utility>

#include "mla/error.h"

namespace mla {

bool JsonBuilder::key(std::string& name) {
  text_.value_seen();
  Level& level = open_.back();
  skips_ = level.json == nullptr ||
           (open_.size() == 1 && !kept_.empty() && std::ranges::count(kept_, std::string_view(name)) == 0);
  const bool twice = skips_ ? !level.skipped.insert(name).second : level.json->contains(name);
  if (twice) fail(name, "the key stands twice in one object");
  key_ = std::move(name);
  return true;
}

bool JsonBuilder::parse_error(std::size_t /*position*/, const std::string& /*token*/,
                              const nlohmann::detail::exception& error) {
  fail("", "not valid JSON: " + json_reason(error));
}

void JsonBuilder::fail(const std::string& field, const std::string& message) const {
  throw Error(ErrorCode::format, text_.source(), field, message);
}

/// Where the value now is; null if it is left out.
Json* JsonBuilder::place(Json value) {
  text_.value_seen();
  if (open_.empty()) return &(root_ = std::move(value));
  Json* const parent = open_.back().json;
  if (parent == nullptr || (parent->is_object() && skips_)) return nullptr;
  if (parent->is_object()) return &((*parent)[key_] = std::move(value));
  parent->push_back(std::move(value));
  return &parent->back();
}

bool JsonBuilder::open(Json container) {
  if (open_.size() >= kMaxJsonDepth)
    fail("", "nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  open_.push_back({place(std::move(container)), {}});
  return true;
}

bool JsonBuilder::close() {
  open_.pop_back();
  return true;
}

}  // namespace mla
