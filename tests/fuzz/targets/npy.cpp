// .npy files.
#include "formats/npy.h"
#include "fuzz/fuzz.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  static InputFile file("array.npy");
  file.put(input);
  touch(read_npy(file.path()).values);
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
