// GGUF files: metadata, tensor infos, and the values of every type that mla computes with.
#include "formats/gguf.h"
#include "formats/checkpoint.h"
#include "formats/gguf_metadata.h"
#include "fuzz/fuzz.h"
#include "tensor/decode.h"

namespace mla::fuzz {
namespace {

void touch_value(const GgufValue& value) {
  gguf_type_name(value);
  if (const auto* const text = std::get_if<std::string_view>(&value.value)) touch(*text);
  if (const auto* const texts = std::get_if<GgufValue::Strings>(&value.value))
    for (const std::string_view text : *texts) touch(text);
}

void run(std::string_view input) {
  static InputFile file("model.gguf");
  file.put(input);
  const GgufFile gguf(file.path());
  for (const auto& [key, value] : gguf.metadata()) {
    touch(key);
    touch_value(value);
  }
  for (const GgufTensor& tensor : gguf.tensors()) {
    touch(tensor.data);
    const CheckpointTensor with_view{.name = std::string(tensor.name),
                                     .stored_name = {},
                                     .file = &gguf.name(),
                                     .dtype = tensor.dtype,
                                     .shape = tensor.shape,
                                     .data = tensor.data};
    touch(decode(with_view.view()));
  }
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
