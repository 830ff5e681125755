// What a model that came out of an input is put through.
#pragma once

#include <memory>

#include "mla/model.h"

namespace mla::fuzz {

/// Runs two tokens, and one more after them. Throws Error.
void exercise(const std::shared_ptr<const Model>& model);

}  // namespace mla::fuzz
