// An encoding's study for other programs.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "lab/encoding_study.h"

namespace mla::lab {

nlohmann::ordered_json as_json(const EncodingStudy& study);

/// Header "position,0,1,...", then one line a position.
std::string as_csv(const EncodingStudy& study);

}  // namespace mla::lab
