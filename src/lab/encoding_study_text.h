// An encoding's study for a person at a terminal of 100 columns.
#pragma once

#include <string>

#include "lab/encoding_study.h"
#include "lab/terminal_heat_map.h"

namespace mla::lab {

/// All encodings there are: name, stage, formula, source.
std::string list_encodings();

std::string as_text(const EncodingStudy& study, TerminalColor color);

}  // namespace mla::lab
