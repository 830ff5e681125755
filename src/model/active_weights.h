// What of a checkpoint one token passes through.
#pragma once

#include <map>
#include <string>

#include "formats/checkpoint.h"
#include "mla/model.h"
#include "model/decoder.h"

namespace mla {

/// ModelInfo::active_weights. `decoder` was built of the checkpoint and packed if it is to be, and `info` says what of it is
/// ignored and how many experts there are. Experts are told by ".experts." in transformers' names; a token reads as much of them as if all
/// that lie in one place were equally large.
std::map<std::string, ActiveWeights> active_weights(const Checkpoint& checkpoint, Decoder& decoder,
                                                    const ModelInfo& info);

}  // namespace mla
