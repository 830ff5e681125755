// The encodings by themselves, as the report shows them.
#pragma once

#include <nlohmann/json.hpp>

#include "positional/registry.h"

namespace mla::lab {

/// Documents of `mla encodings --json` for positions 0 to 127: of every encoding that `settings` allow, learned only
/// with a table, decoupled RoPE only with a rotary part.
nlohmann::ordered_json report_studies(const EncodingSettings& settings);

}  // namespace mla::lab
