// What ModelInfo says of a model with latent attention.
#pragma once

#include <cstddef>

#include "mla/model.h"
#include "model/decoder.h"
#include "model/mla_config.h"

namespace mla {

/// Fills in the dimensions, the features, the parameters (`parameters`: of all tensors in use), the memory that
/// a token takes, and what was ignored of the config.
void describe_mla(const MlaConfig& config, const Decoder& decoder, std::size_t parameters, ModelInfo& info);

}  // namespace mla
