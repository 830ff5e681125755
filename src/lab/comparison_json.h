// `mla compare --json`.
#pragma once

#include <nlohmann/json.hpp>

#include "lab/comparison.h"

namespace mla::lab {

/// The document described in docs/positional-encodings.md.
nlohmann::ordered_json to_json(const Comparison& comparison);

}  // namespace mla::lab
