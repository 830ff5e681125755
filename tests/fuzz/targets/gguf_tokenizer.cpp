// The tokenizer in a GGUF file.
#include "fuzz/fuzz.h"
#include "fuzz/tokenizer_exercise.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  static InputFile file("model.gguf");
  file.put(input);
  exercise(*Tokenizer::load(file.path()), "Ab cd  12\n<s>d\xC3\xA9j\xC3\xA0 \xFE x");
}

}  // namespace

// The cache of words has a fixed size.
const Target kTarget{.allocation_base = std::size_t{2} << 20, .run = run};

}  // namespace mla::fuzz
