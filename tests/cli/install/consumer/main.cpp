// A program of someone else: it sees the installed headers and the library, nothing of mla's source tree.
#include <cstdio>

#include "mla/error.h"
#include "mla/generator.h"
#include "mla/version.h"

int main(int, char** arguments) try {
  std::printf("mla %s\n", MLA_VERSION);
  mla::Session session(mla::Model::load(arguments[1]));
  const auto tokenizer = mla::Tokenizer::load(arguments[1]);
  const auto result = mla::generate(session, tokenizer, tokenizer->encode("The dog"),
                                    {.max_tokens = 5, .sampler = {}, .stop = {}});
  std::printf("generated %zu tokens\n", result.ids.size());
  mla::Model::load("no-such-folder");
} catch (const mla::Error& error) {
  std::printf("caught: %s\n", error.what());
  return error.code() == mla::ErrorCode::io ? 0 : 1;
}
