#include "runtime/vocabularies.h"

#include <filesystem>
#include <string>
#include <system_error>

#include "mla/error.h"

namespace mla {
namespace {

/// Where the tokenizer of the model at `path` is: in a file of its own, or in the GGUF.
std::filesystem::path tokenizer_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path / "tokenizer.json", ignored) ? path / "tokenizer.json" : path;
}

}  // namespace

void check_vocabulary(const Tokenizer& tokenizer, const Model& model) {
  const std::size_t rows = model.info().vocab_size;
  if (tokenizer.vocab_size() <= rows) return;
  const std::size_t id = tokenizer.vocab_size() - 1;
  throw Error(ErrorCode::mismatch, tokenizer_file(model.info().path).string(), "tokens",
              "found the token \"" + tokenizer.token_bytes(static_cast<TokenId>(id), false) + "\" with id " +
                  std::to_string(id) + ", expected an id below the model's vocab_size, " +
                  std::to_string(rows));
}

}  // namespace mla
