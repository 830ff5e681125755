// The two kinds of vocabularies a GGUF file can hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/gguf_writer.h"
#include "tokenizer/document.h"

namespace mla {

/// For every row of the embedding its token; rows without one are called [PAD<id>].
struct TokenList {
  /// Throws Error(mismatch) for an id beyond vocab_size, Error(unsupported) for an added token that takes white space
  /// along or needs borders of words.
  TokenList(const TokenizerDocument& document, const std::string& file, std::size_t vocab_size,
            bool byte_fallback);

  std::vector<std::string> texts;
  std::vector<std::int32_t> types;
};

/// `tokenizer.ggml.model` "gpt2": the merges and, in `pre`, how text is split. Throws Error(unsupported) if none of the
/// splits that GGUF has names for is the file's.
void describe_byte_level_tokenizer(const TokenizerDocument& document, const std::string& file,
                                   std::size_t vocab_size, GgufMetadata& metadata);

/// `tokenizer.ggml.model` "llama": scores instead of merges. Throws Error(unsupported) if no scores lead to the file's
/// merges or if white space is treated in another way than SentencePiece's.
void describe_scored_tokenizer(const TokenizerDocument& document, const std::string& file,
                               std::size_t vocab_size, GgufMetadata& metadata);

}  // namespace mla
