// The report of `mla compare --html`: the story of the encodings as one page that needs nothing else.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace mla::lab {

/// `comparison` is the document of `mla compare --json`, `encodings` an array of documents of `mla encodings --json`.
/// The page holds both as they are; every figure in it is read from them. What they lack, the page leaves out.
std::string html_report(const nlohmann::ordered_json& comparison, const nlohmann::ordered_json& encodings);

}  // namespace mla::lab
