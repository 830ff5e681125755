// The metadata of a GGUF file: values by their type's number.
#pragma once

#include <string_view>

#include "formats/gguf.h"
#include "formats/gguf_reader.h"

namespace mla {

/// The type and the value of `key`, which the reader has just passed.
GgufValue read_gguf_value(GgufReader& in, std::string_view key);

/// "int32", "array of string": for messages.
std::string gguf_type_name(const GgufValue& value);

}  // namespace mla
