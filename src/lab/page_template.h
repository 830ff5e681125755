// Fills in the page: a part of Mustache that needs no lists.
//   {{name}}                    the value, as it is (whoever sets it escapes it)
//   {{#name}} ... {{/name}}     stays if the value is not empty
//   {{^name}} ... {{/name}}     stays if the value is empty
//   {{>file}}                   another file of lab/page, filled in with the same values
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace mla::lab {

using PageValues = std::map<std::string, std::string, std::less<>>;

/// Throws std::logic_error at a name without a value, also where it would not show, and at sections that are
/// not closed: mistakes of the page, not of its data.
std::string fill_page(std::string_view text, const PageValues& values);

}  // namespace mla::lab
