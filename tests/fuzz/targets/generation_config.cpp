// generation_config.json.
#include "model/generation_config.h"
#include "fuzz/fuzz.h"
#include "mla/error.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  static InputFile file("generation_config.json");
  file.put(input);
  const Json config = {{"bos_token_id", 1}, {"eos_token_id", {2, 3}}};
  read_generation_config(file.folder().path(), JsonField(config, "config.json"));
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
