// What ModelInfo says of models with grouped-query attention.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "mla/model.h"
#include "nn/gqa_attention.h"

namespace mla {

/// "GQA, 9 query heads over 3 key-value heads, sliding window of 128 in 2 of 4 layers".
std::string describe_gqa(const GqaShape& shape, std::span<const std::optional<std::size_t>> windows);

/// Fills in what depends on the attention: the kind of cache, its bytes, the scratch.
void describe_gqa_memory(const GqaShape& shape, std::span<const std::optional<std::size_t>> windows,
                         ModelInfo& info);

}  // namespace mla
