// What flash attention adds to scores before the softmax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "nn/attention.h"
#include "nn/selection.h"
#include "positional/encoding.h"

namespace mla {

struct ScoreBias {
  const PositionalEncoding* encoding = nullptr;  ///< One that adds to scores, or null.
  std::size_t first_query = 0;                   ///< Position of token 0 of the queries,
  std::size_t first_key = 0;                     ///< and of the cache's row 0.
  const Selection* selection = nullptr;  ///< Hides what tokens do not attend to, or null. By row of the pass.

  bool empty() const { return encoding == nullptr && selection == nullptr; }

  /// What a head's scaled scores of a token get, for the cache's rows `first` + i, or chosen[i] if that is not empty. A key
  /// that is hidden gets so low a score that at most 2^-126 of it is left beside one that is not; a token must see one of these.
  void fill(std::size_t head, std::size_t token, std::size_t first, std::span<const std::uint32_t> chosen,
            std::span<float> values) const;
};

/// What the encoding of a pass adds.
ScoreBias score_bias(const AttentionCall& call);

}  // namespace mla
