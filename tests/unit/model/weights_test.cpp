#include "model/weights.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/checkpoint.h"
#include "mla/error.h"
#include "mla/model.h"
#include "tensor/decode.h"
#include "unit/formats/format_files.h"
#include "unit/model/checkpoint_copy.h"

using checkpoint_copy::Copy;
using checkpoint_copy::floats;
using format_files::contains;
using format_files::Folder;
using format_files::Tensor;
using mla::Checkpoint;
using mla::ErrorCode;
using mla::Shape;
using mla::WeightLoader;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string zeros(std::size_t bytes) {
  return std::string(bytes, '\0');
}

/// Tensors as a loader sees them, in FP8 blocks of 2 x 4.
struct Weights {
  explicit Weights(const std::vector<Tensor>& tensors)
      : written(folder.write("model.safetensors", format_files::safetensors(tensors))),
        checkpoint(folder.path()),
        loader(checkpoint, {.rows = 2, .cols = 4}) {}

  Folder folder;
  std::filesystem::path written;
  Checkpoint checkpoint;
  WeightLoader loader;
};

void expect(const mla::Error& error, ErrorCode code, const std::string& field, const std::string& part) {
  CHECK(error.code() == code);
  CHECK(error.field() == field);
  CHECK_FALSE(error.file().empty());
  CAPTURE(error.what());
  CHECK(contains(error.what(), part));
}

}  // namespace

TEST_CASE("weights: matrices, vectors and linear layers as they stand in the file") {
  Weights weights({{"a.weight", "F32", "[2, 3]", floats({1, 2, 3, 4, 5, 6})},
                   {"a.bias", "F32", "[2]", floats({7, 8})},
                   {"norm", "BF16", "[2]", std::string("\x80\x3f\x00\xc0", 4)}});
  WeightLoader& loader = weights.loader;
  CHECK(loader.has("norm"));
  CHECK_FALSE(loader.has("Norm"));
  CHECK(loader.vector("norm", 2) == std::vector<float>{1.0F, -2.0F});
  const mla::Linear linear = loader.linear("a", 2, 3, true);
  CHECK(linear.out_features() == 2);
  CHECK(linear.in_features() == 3);
  CHECK(decode(linear.weight()) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(loader.parameters() == 6 + 2 + 2);
  CHECK(loader.leftovers([](std::string_view) { return false; }).empty());
}

TEST_CASE("weights: a missing tensor or one of another shape is refused by name") {
  Weights weights({{"m", "F32", "[2, 3]", zeros(24)}, {"v", "F32", "[4]", zeros(16)}});
  WeightLoader& loader = weights.loader;
  expect(thrown_by([&] { loader.matrix("none", Shape{2, 3}); }), ErrorCode::mismatch, "none", "[2, 3]");
  expect(thrown_by([&] { loader.vector("none", 5); }), ErrorCode::mismatch, "none", "[5]");
  expect(thrown_by([&] { loader.linear("none", 2, 3); }), ErrorCode::mismatch, "none.weight", "missing");
  const mla::Error transposed = thrown_by([&] { loader.matrix("m", Shape{3, 2}); });
  expect(transposed, ErrorCode::mismatch, "m", "[3, 2]");
  CHECK(contains(transposed.what(), "[2, 3]"));
  CHECK(contains(transposed.file(), "model.safetensors"));
  expect(thrown_by([&] { loader.matrix("m", Shape{6}); }), ErrorCode::mismatch, "m", "[6]");
  expect(thrown_by([&] { loader.vector("m", 6); }), ErrorCode::mismatch, "m", "[6]");
  expect(thrown_by([&] { loader.vector("v", 3); }), ErrorCode::mismatch, "v", "[4]");
  expect(thrown_by([&] { loader.matrix("v", Shape{1, 4}); }), ErrorCode::mismatch, "v", "[4]");
  CHECK(loader.parameters() == 0);
}

TEST_CASE("weights: a missing bias is refused only where one is expected") {
  Weights weights({{"a.weight", "F32", "[2, 3]", zeros(24)}});
  CHECK_NOTHROW(weights.loader.linear("a", 2, 3));
  expect(thrown_by([&] { weights.loader.linear("a", 2, 3, true); }), ErrorCode::mismatch, "a.bias", "[2]");
}

TEST_CASE("weights: FP8 is multiplied by its block scales") {
  // 3 x 5 in blocks of 2 x 4: 2 x 2 of them. 0x38 is 1.
  Weights weights({{"m", "F8_E4M3", "[3, 5]", std::string(15, '\x38')},
                   {"m_scale_inv", "F32", "[2, 2]", floats({2, 3, 5, 7})}});
  const mla::WeightView view = weights.loader.matrix("m", Shape{3, 5});
  CHECK(decode(view) == std::vector<float>{2, 2, 2, 2, 3, 2, 2, 2, 2, 3, 5, 5, 5, 5, 7});
  CHECK(weights.loader.parameters() == 15);
  CHECK(weights.loader.leftovers([](std::string_view) { return false; }).empty());
}

TEST_CASE("weights: FP8 without scales, or with those of another shape or type, is refused") {
  const Tensor fp8{"m", "F8_E4M3", "[3, 5]", std::string(15, '\x38')};
  Weights none({fp8});
  expect(thrown_by([&] { none.loader.matrix("m", Shape{3, 5}); }), ErrorCode::mismatch, "m_scale_inv", "");
  const std::vector<std::pair<std::string, std::size_t>> shapes = {
      {"[1, 2]", 2}, {"[2, 1]", 2}, {"[3, 2]", 6}, {"[4]", 4}, {"[2, 2, 1]", 4}};
  for (const auto& [shape, elements] : shapes) {
    CAPTURE(shape);
    Weights wrong({fp8, {"m_scale_inv", "F32", shape, zeros(4 * elements)}});
    expect(thrown_by([&] {
             wrong.loader.matrix("m", Shape{3, 5});
           }),
           ErrorCode::mismatch, "m_scale_inv", "[2, 2]");
  }
  Weights type({fp8, {"m_scale_inv", "F8_E4M3", "[2, 2]", zeros(4)}});
  expect(thrown_by([&] {
           type.loader.matrix("m", Shape{3, 5});
         }),
         ErrorCode::unsupported, "m_scale_inv", "F8_E4M3");
}

TEST_CASE("weights: vectors in FP8 or with values that are not finite are refused") {
  Weights fp8({{"v", "F8_E4M3", "[3]", std::string(3, '\x38')}});
  expect(thrown_by([&] { fp8.loader.vector("v", 3); }), ErrorCode::unsupported, "v", "F8_E4M3");
  for (const float value : {kNan, kInfinity, -kInfinity}) {
    Weights weights({{"v", "F32", "[3]", floats({1, 2, value})}});
    expect(thrown_by([&] { weights.loader.vector("v", 3); }), ErrorCode::numeric, "v", "not finite");
  }
}

TEST_CASE("weights: types mla does not compute with are refused when they are asked for") {
  Weights weights({{"m", "I64", "[1, 2]", zeros(16)}, {"v", "F64", "[1]", zeros(8)}});
  expect(thrown_by([&] { weights.loader.matrix("m", Shape{1, 2}); }), ErrorCode::unsupported, "m", "I64");
  expect(thrown_by([&] { weights.loader.vector("v", 1); }), ErrorCode::unsupported, "v", "F64");
  CHECK(weights.loader.leftovers([](std::string_view) { return true; }) ==
        std::vector<std::string>{"m", "v"});
}

TEST_CASE("weights: what nobody took may be left or not, empty tensors always") {
  Weights weights({{"a", "F32", "[1]", zeros(4)},
                   {"b", "F32", "[1]", zeros(4)},
                   {"c", "F32", "[1]", zeros(4)},
                   {"empty", "F32", "[0, 7]", ""}});
  weights.loader.vector("b", 1);
  std::vector<std::string> asked;
  const auto left = weights.loader.leftovers([&](std::string_view name) {
    asked.emplace_back(name);
    return name != "empty";
  });
  CHECK(left == std::vector<std::string>{"a", "c", "empty"});
  CHECK(asked == left);
  expect(thrown_by([&] { weights.loader.leftovers([](std::string_view name) { return name == "a"; }); }),
         ErrorCode::mismatch, "c", "described by its config");
}

TEST_CASE("weights: a model counts each of its tensors once") {
  for (const char* name : {"v2_tied", "v2_defaults", "v3_fused_experts", "v3_fp8", "v3_mtp", "v3_sharded",
                           "v2_attention_bias", "v3_tied"}) {
    CAPTURE(name);
    const std::string folder = std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + name;
    const auto model = mla::Model::load(folder);
    const std::vector<std::string>& ignored = model->info().ignored_tensors;
    const Checkpoint checkpoint{std::filesystem::path(folder)};
    std::size_t elements = 0;
    for (const mla::CheckpointTensor& tensor : checkpoint.tensors())
      if (!tensor.name.ends_with("_scale_inv") &&
          std::find(ignored.begin(), ignored.end(), tensor.name) == ignored.end())
        elements += tensor.view().elements();
    CHECK(model->info().parameters == elements);
  }
}

TEST_CASE("weights: layers the config does not tell of are refused") {
  Copy copy("v2_dense_only");
  REQUIRE(copy.config["num_hidden_layers"] == 2);
  const Folder whole;
  copy.write(whole);
  CHECK(mla::Model::load(whole.path())->info().ignored_tensors.empty());

  SECTION("an ordinary layer more") {
    copy.tensors.push_back({"model.layers.2.input_layernorm.weight", "F32", "[51]", zeros(4 * 51)});
  }
  SECTION("a config that has a layer less") {
    copy.config["num_hidden_layers"] = 1;
    copy.config["first_k_dense_replace"] = 1;
  }
  SECTION("a name that only looks like an extra layer's") {
    copy.tensors.push_back({"model.layers.2.eh_proj.weight", "F32", "[51, 102]", zeros(4 * 51 * 102)});
    copy.tensors.push_back({"model.layers.2x.norm.weight", "F32", "[1]", zeros(4)});
  }
  SECTION("a tensor more in a layer there is") {
    copy.tensors.push_back({"model.layers.1.eh_proj.weight", "F32", "[51, 102]", zeros(4 * 51 * 102)});
  }
  SECTION("an ordinary layer behind one of multi-token prediction") {
    copy.tensors.push_back({"model.layers.2.eh_proj.weight", "F32", "[51, 102]", zeros(4 * 51 * 102)});
    copy.tensors.push_back({"model.layers.3.input_layernorm.weight", "F32", "[51]", zeros(4 * 51)});
  }
  const Folder changed;
  copy.write(changed);
  const mla::Error error = thrown_by([&] { mla::Model::load(changed.path()); });
  CHECK(error.code() == ErrorCode::mismatch);
  CHECK(contains(error.field(), "model.layers."));
}

TEST_CASE("weights: multi-token-prediction layers and rotary tables are skipped and listed") {
  Copy copy("v2_dense_only");
  const std::size_t parameters =
      mla::Model::load(std::string(MLA_TEST_DATA_DIR) + "/golden/checkpoints/v2_dense_only")
          ->info()
          .parameters;
  copy.tensors.push_back({"model.layers.2.eh_proj.weight", "F32", "[51, 102]", zeros(4 * 51 * 102)});
  copy.tensors.push_back({"model.layers.2.input_layernorm.weight", "F32", "[51]", zeros(4 * 51)});
  copy.tensors.push_back({"model.layers.10.eh_proj.weight", "I64", "[1]", zeros(8)});
  copy.tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", "[3]", zeros(12)});
  const Folder folder;
  copy.write(folder);
  const auto model = mla::Model::load(folder.path());
  CHECK(model->info().ignored_tensors ==
        std::vector<std::string>{"model.layers.0.self_attn.rotary_emb.inv_freq",
                                 "model.layers.10.eh_proj.weight", "model.layers.2.eh_proj.weight",
                                 "model.layers.2.input_layernorm.weight"});
  CHECK(model->info().parameters == parameters);
}

TEST_CASE("weights: without tied embeddings there must be a head") {
  Copy copy("v2_tied");
  REQUIRE(copy.config["tie_word_embeddings"] == true);
  const Folder folder;
  copy.config["tie_word_embeddings"] = false;
  copy.write(folder);
  const mla::Error error = thrown_by([&] { mla::Model::load(folder.path()); });
  CHECK(error.code() == ErrorCode::mismatch);
  CHECK(error.field() == "lm_head.weight");
}
