// Text to token ids and back, as the checkpoint's tokenizer.json or GGUF file says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mla/export.h"

namespace mla {

using TokenId = std::int32_t;

/// Text that grows token by token.
class MLA_API DecodingStream {
 public:
  virtual ~DecodingStream() = default;

  /// The text that `id` completes, in whole characters.
  virtual std::string push(TokenId id) = 0;

  /// What was held back. The next push begins a new text.
  virtual std::string finish() = 0;
};

/// A tokenizer is const after loading and may be used from several threads at once.
class MLA_API Tokenizer {
 public:
  /// Loads `path`: a tokenizer.json, a GGUF file (known by its first bytes), or a folder that holds a tokenizer.json
  /// or else the GGUF file, or the parts of the GGUF file, of one model. A tokenizer_config.json beside tokenizer.json
  /// is asked one thing: whether to begin with a BOS (`add_bos_token`). Throws Error (io, format, unsupported).
  static std::shared_ptr<const Tokenizer> load(const std::filesystem::path& path);

  virtual ~Tokenizer() = default;

  /// The ids of `text` (UTF-8; malformed bytes become U+FFFD, as a lossy decoder makes them). Special tokens
  /// written out in the text are recognized. `add_special_tokens` runs the post-processor's template (BOS and
  /// the like).
  virtual std::vector<TokenId> encode(std::string_view text, bool add_special_tokens = true) const = 0;

  /// The text of `ids`. Bytes that do not form UTF-8 become U+FFFD. An id without a token (models
  /// have more rows than tokens) is nothing.
  virtual std::string decode(std::span<const TokenId> ids, bool skip_special_tokens = true) const = 0;

  /// The pieces that `push` and `finish` give, put together, equal decode of all ids. Must not outlive the tokenizer
  /// (StreamDecoder keeps it).
  virtual std::unique_ptr<DecodingStream> stream(bool skip_special_tokens = true) const = 0;

  /// The raw bytes one token stands for within a text, before any UTF-8 repair; empty for a special token when those
  /// are skipped. What decoding takes away at the beginning of a text (often a space) is still there.
  virtual std::string token_bytes(TokenId id, bool skip_special_tokens = true) const = 0;

  /// One more than the highest id.
  virtual std::size_t vocab_size() const = 0;
  virtual std::optional<TokenId> id_of(std::string_view token) const = 0;
  virtual bool is_special(TokenId id) const = 0;

  /// A line for a person: model, pre-tokenizers, numbers of tokens and merges.
  virtual std::string describe() const = 0;
};

/// Turns a stream of ids into a stream of text that never splits a UTF-8 character: bytes of an unfinished
/// character are held back until it is whole, and tokens of single bytes (byte fallback) until another token comes,
/// for all bytes of such a run become U+FFFD if the run is not UTF-8. The pieces put together equal
/// Tokenizer::decode of all ids.
class MLA_API StreamDecoder {
 public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special_tokens = true);

  std::string push(TokenId id);
  std::string finish();  ///< What was held back, repaired with U+FFFD.

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<DecodingStream> stream_;
};

}  // namespace mla
