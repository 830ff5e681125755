// What the families' readers of config.json share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/weights.h"
#include "positional/rope_frequencies.h"

namespace mla {

/// Sizes and counts fit into 31 bits, so that products of two of them fit into 63.
inline constexpr std::int64_t kGreatestSize = std::numeric_limits<std::int32_t>::max();

/// Throws Error(format) if the key is missing or its value not a whole number in [least, kGreatestSize].
std::size_t read_size(const JsonField& config, const char* key, std::int64_t least = 1);
std::size_t read_size_or(const JsonField& config, const char* key, std::size_t otherwise,
                         std::int64_t least = 1);
bool read_bool_or(const JsonField& config, const char* key, bool otherwise);
/// The same for a key that transformers' class declares as "bool or None": there null means no.
bool read_nullable_bool_or(const JsonField& config, const char* key, bool otherwise);
/// A norm's epsilon, in [0, 1].
float read_epsilon_or(const JsonField& config, const char* key, float otherwise);

/// A key that mla knows one value of, if it is there at all. Throws Error(unsupported).
void expect_text(const JsonField& config, const char* key, std::string_view expected);

/// A size that follows from others, if it is there at all. Throws Error(unsupported).
void expect_size(const JsonField& config, const char* key, std::size_t expected);

/// `is_causal`, which transformers looks at in every family: its decoders see the whole text where it is false or null.
/// Throws Error(unsupported).
void check_causal(const JsonField& config);

/// `position_encoding`, mla's own key: the name of a known encoding, or `otherwise`. Throws Error(unsupported).
std::string read_position_encoding(const JsonField& config, std::string_view otherwise);

/// `quantization_config` of FP8 checkpoints. The tensors' own dtypes say which of them are quantized.
Fp8Blocks read_quantization(const JsonField& config);

/// `dtype`, or `torch_dtype`, says nothing the tensors do not say better; but an unknown one is a sign of a
/// file mla does not understand.
void check_dtype(const JsonField& config);

/// Tokens for which the encoding is defined: dynamic scaling goes beyond the trained context by its factor.
std::size_t max_context(const RopeScaling& rope, std::size_t max_position_embeddings);

/// The config's keys that are neither among `read` nor read or known to mean nothing in every family.
std::vector<std::string> unread_keys(const JsonField& config, const std::set<std::string_view>& read);

}  // namespace mla
