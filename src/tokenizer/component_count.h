// How many components a tokenizer.json may have.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"

namespace mla {

/// Normalizers, pre-tokenizers and decoders, of each kind. Published files have a handful; each costs time for every
/// word, can add to its text for those behind it, and some cost a frame of the stack.
inline constexpr std::size_t kMostComponents = 32;

/// Throws Error(unsupported) if `count` are too many. `field` is where they stand.
inline void check_component_count(std::size_t count, const JsonField& field) {
  if (count > kMostComponents)
    field.unsupported("found more than " + std::to_string(kMostComponents) +
                      " components, expected at most so many");
}

}  // namespace mla
