// Keys of config.json whose kind of value is known, whoever reads them.
#pragma once

#include "base/json.h"

namespace mla {

/// A family reads what its class reads, and configs carry more: another family's keys, what only training uses. A value
/// there that cannot be meant (a negative count, a text for a number) is a sign of a broken file, though nothing is computed
/// from it. Throws Error(format). Null counts as absent.
void check_known_keys(const JsonField& config);

}  // namespace mla
