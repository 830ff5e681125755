// A model's tokenizer and its matrices have to agree on what the tokens are.
#pragma once

#include "mla/model.h"
#include "mla/tokenizer.h"

namespace mla {

/// Throws Error(mismatch) if the tokenizer has a token that the model has no row for. (Rows without a token are usual.)
void check_vocabulary(const Tokenizer& tokenizer, const Model& model);

}  // namespace mla
