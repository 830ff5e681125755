// The encodings there are, by name.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "positional/encoding.h"
#include "positional/rope.h"

namespace mla {

/// A table of learned positions [positions, dims].
struct PositionTable {
  std::vector<float> values;
  std::size_t dims = 0;
};

/// What a model has to say when its encoding is made.
struct EncodingSettings {
  std::string source;  ///< The checkpoint, for messages.
  std::size_t hidden_size = 0;
  std::size_t num_heads = 0;
  std::size_t rotary_dim = 0;  ///< Values of a head that can be rotated; even.
  bool decoupled = false;      ///< Whether these have weights of their own (MLA's qk_rope_head_dim).
  RopeScaling rope;
  RopePairing pairing = RopePairing::interleaved;
  std::optional<PositionTable> table;
};

struct EncodingEntry {
  std::string_view name;
  std::string_view formula;  ///< In one line of plain text.
  std::string_view source;   ///< Where it was proposed.

  /// Throws Error(unsupported) if the model lacks what the encoding needs.
  std::unique_ptr<PositionalEncoding> (*make)(const EncodingSettings& settings);
};

/// All of them, in the order of their story.
std::span<const EncodingEntry* const> encodings();

/// Null if there is none of that name.
const EncodingEntry* find_encoding(std::string_view name);
/// Throws Error(unsupported) that lists the known names.
const EncodingEntry& encoding_named(std::string_view name);

std::string encoding_names();  ///< "none, integer, ...", for messages.

}  // namespace mla
