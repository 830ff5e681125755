// A model in a GGUF file: loaded both ways and run for a few tokens, its tokenizer, and what `mla quantize` makes of it.
#include "convert/plan.h"
#include "fuzz/fuzz.h"
#include "fuzz/model/model_exercise.h"
#include "fuzz/tokenizer_exercise.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  static InputFile file("model.gguf");
  file.put(input);
  const auto model = Model::load(file.path(), {.precision = Precision::f32, .threads = 1});
  exercise(model);
  exercise(Model::load(file.path(), {.precision = Precision::fast, .threads = 1}));
  plan_conversion(file.path(), *find_quantization("q8_0"));
  if (model->info().tokenizer) exercise(*Tokenizer::load(file.path()), "Ab cd");
}

}  // namespace

// A session and the cache of words have memory of fixed sizes.
const Target kTarget{.allocation_base = std::size_t{4} << 20, .run = run};

}  // namespace mla::fuzz
