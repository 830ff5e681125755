// A program of someone else: it sees the installed headers and the library, nothing of mla's source tree.
#include <cstdio>
#include <exception>

#include "mla/error.h"
#include "mla/tokenizer.h"
#include "mla/version.h"

int main() {
  std::printf("mla %s\n", MLA_VERSION);
  try {
    mla::Tokenizer::load("no-such-file/tokenizer.json");
  } catch (const mla::Error& error) {
    std::printf("caught: %s\n", error.what());
    return error.code() == mla::ErrorCode::io ? 0 : 1;
  }
  return 1;
}
