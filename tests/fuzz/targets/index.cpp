// model.safetensors.index.json, beside two shards.
#include "formats/checkpoint.h"
#include "fuzz/fuzz.h"

namespace mla::fuzz {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFirst =
    "\x6a\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
    "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}12345678"sv;
constexpr std::string_view kSecond =
    "\x35\0\0\0\0\0\0\0{\"c\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}12"sv;

void run(std::string_view input) {
  static InputFile file("model.safetensors.index.json");
  static const std::filesystem::path shards[] = {file.folder().write("1.safetensors", kFirst),
                                                 file.folder().write("2.safetensors", kSecond)};
  file.put(input);
  const Checkpoint checkpoint(file.folder().path());
  for (const CheckpointTensor& tensor : checkpoint.tensors()) touch(tensor.data);
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
