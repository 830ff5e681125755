// config.json of every family, beside weights in the shapes that it asks for; the model is run for a few tokens.
#include "fuzz/fuzz.h"
#include "fuzz/model/checkpoint_maker.h"
#include "fuzz/model/model_exercise.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  static const CheckpointMaker maker(corpus() / "config");
  static InputFile config("config.json");
  static Shapes written = {{"", {}}};
  const Json document = parse_json(input, "config.json");
  Shapes shapes = maker.shapes_for(JsonField(document, "config.json"));
  if (shapes != written) {
    config.folder().write("model.safetensors", maker.file_of(shapes));
    written = std::move(shapes);
  }
  config.put(input);
  exercise(Model::load(config.folder().path(), {.precision = Precision::f32, .threads = 1}));
}

}  // namespace

// The weights are no larger than kMostInAll, and a session has memory of a fixed size.
const Target kTarget{.allocation_base = std::size_t{4} << 20, .run = run};

}  // namespace mla::fuzz
