// From a token's spelling in the vocabulary to the bytes it stands for.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace mla {

/// The decoders that treat every token on its own: ByteLevel, Fuse, Replace of a string, and Sequence of
/// those.
class Decoder {
 public:
  /// The decoder of a file without one: tokens as they are spelled, with spaces between them.
  Decoder() : separator_(" ") {}

  /// From the object at `field`. Throws Error(format, unsupported).
  explicit Decoder(const JsonField& field);

  std::string bytes_of(std::string_view token) const;
  const std::string& separator() const { return separator_; }

 private:
  void read(const JsonField& field);
  void read_replace(const JsonField& field);

  std::vector<std::pair<std::string, std::string>> replacements_;
  bool byte_level_ = false;
  bool fused_ = false;  ///< The tokens are one text by now.
  std::string separator_;
};

}  // namespace mla
