// statistics.json of a trained family.
#include "fuzz/fuzz.h"
#include "lab/trained_json.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  static InputFile file("statistics.json");
  file.put(input);
  if (const auto statistics = lab::family_statistics(file.folder().path())) lab::to_json(*statistics);
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
