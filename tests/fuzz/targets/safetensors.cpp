// model.safetensors: the header, and the values of every type that mla computes with.
#include "base/json.h"
#include "formats/checkpoint.h"
#include "fuzz/fuzz.h"
#include "tensor/decode.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  static InputFile file("model.safetensors");
  file.put(input);
  const Checkpoint checkpoint(file.folder().path());
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    touch(tensor.data);
    if (find_dtype(tensor.dtype)) touch(decode(tensor.view()));
  }
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
