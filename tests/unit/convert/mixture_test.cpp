#include "convert/mixture.h"

#include <catch2/catch.hpp>

#include <map>

using namespace mla;

namespace {

using Shapes = std::vector<std::pair<std::string, std::vector<std::size_t>>>;

/// The types by name; F32 stands for what keeps its own.
std::map<std::string, DType> types(const char* name, const Shapes& shapes, const MixtureModel& model) {
  std::vector<MixtureTensor> tensors;
  for (const auto& [tensor, shape] : shapes) tensors.push_back({tensor, shape});
  const auto chosen = choose_types(*find_quantization(name), tensors, model);
  std::map<std::string, DType> result;
  for (std::size_t i = 0; i < shapes.size(); ++i) result[shapes[i].first] = chosen[i].value_or(DType::f32);
  return result;
}

Shapes layers_of(std::size_t count, const std::string& tensor) {
  Shapes shapes;
  for (std::size_t i = count; i-- > 0;)  // Not in the order of the layers.
    shapes.push_back({"blk." + std::to_string(i) + "." + tensor, {64, 256}});
  return shapes;
}

}  // namespace

TEST_CASE("the names of quantizations", "[convert]") {
  REQUIRE(quantizations().size() == 6);
  for (const char* name : {"q8_0", "q4_0", "q4_k_m", "q6_k", "bf16", "f32"})
    REQUIRE(find_quantization(name)->name == name);
  REQUIRE(find_quantization("Q4_K_M") == nullptr);
}

TEST_CASE("vectors, norms, routers and positions keep their type", "[convert]") {
  const Shapes shapes = {{"blk.0.attn_norm.weight", {256}},       {"blk.0.attn_q_a_norm.weight", {2, 256}},
                         {"blk.0.ffn_gate_inp.weight", {8, 256}}, {"position_embd.weight", {16, 256}},
                         {"blk.0.exp_probs_b.bias", {8}},         {"blk.0.attn_q.bias", {2, 256}},
                         {"one_row.weight", {1, 1, 256}}};
  for (const char* name : {"q4_k_m", "q8_0", "bf16"})
    for (const auto& [tensor, type] : types(name, shapes, {.layers = 1})) {
      INFO(tensor);
      REQUIRE(type == DType::f32);
    }
}

TEST_CASE("the output, or the embedding in its place, has more bits", "[convert]") {
  const Shapes apart = {{"token_embd.weight", {9, 256}}, {"output.weight", {9, 256}}};
  REQUIRE(types("q4_k_m", apart, {})["token_embd.weight"] == DType::q4_k);
  REQUIRE(types("q4_k_m", apart, {})["output.weight"] == DType::q6_k);
  REQUIRE(types("q4_0", apart, {})["output.weight"] == DType::q6_k);
  REQUIRE(types("q4_0", apart, {})["token_embd.weight"] == DType::q4_0);
  REQUIRE(types("q8_0", apart, {})["output.weight"] == DType::q8_0);
  REQUIRE(types("bf16", apart, {})["output.weight"] == DType::bf16);
  const Shapes tied = {{"token_embd.weight", {9, 256}}};
  REQUIRE(types("q4_k_m", tied, {})["token_embd.weight"] == DType::q6_k);
  REQUIRE(types("q4_k_m", {{"output.weight", {9, 96}}}, {})["output.weight"] == DType::q8_0);
}

TEST_CASE("some layers' values and down projections have more bits in q4_k_m", "[convert]") {
  // 16 layers: the first and the last two, and every third from layer 4 on.
  const std::vector<std::size_t> more = {0, 1, 4, 7, 10, 13, 14, 15};
  for (const std::string tensor :
       {"attn_v.weight", "ffn_down.weight", "attn_qkv.weight", "attn_kv_b.weight"}) {
    auto found = types("q4_k_m", layers_of(16, tensor), {.layers = 16});
    for (std::size_t layer = 0; layer < 16; ++layer) {
      INFO(tensor << " " << layer);
      const bool expected = std::find(more.begin(), more.end(), layer) != more.end();
      REQUIRE(found["blk." + std::to_string(layer) + "." + tensor] == (expected ? DType::q6_k : DType::q4_k));
    }
    for (const auto& [name, type] : types("q6_k", layers_of(16, tensor), {.layers = 16}))
      REQUIRE(type == DType::q6_k);
  }
  for (const auto& [name, type] : types("q4_k_m", layers_of(16, "attn_q.weight"), {.layers = 16}))
    REQUIRE(type == DType::q4_k);
}

TEST_CASE("down projections of experts go by the layer's number", "[convert]") {
  Shapes shapes;
  for (std::size_t layer = 8; layer < 16; ++layer) {
    shapes.push_back({"blk." + std::to_string(layer) + ".ffn_down_exps.weight", {4, 64, 256}});
    shapes.push_back({"blk." + std::to_string(layer) + ".ffn_down_shexp.weight", {64, 256}});
  }
  auto found = types("q4_k_m", shapes, {.layers = 16, .experts = 4});
  for (const char* kind : {"exps", "shexp"}) {
    const std::string tail = std::string(".ffn_down_") + kind + ".weight";
    REQUIRE(found["blk.10" + tail] == DType::q6_k);
    REQUIRE(found["blk.11" + tail] == DType::q4_k);
    REQUIRE(found["blk.15" + tail] == DType::q6_k);
  }
}

TEST_CASE("eight experts, and Llama 70B", "[convert]") {
  const Shapes shapes = {{"blk.3.attn_v.weight", {64, 256}},
                         {"blk.3.attn_k.weight", {64, 256}},
                         {"blk.3.attn_output.weight", {64, 256}}};
  auto found = types("q4_k_m", shapes, {.layers = 8, .experts = 8});
  REQUIRE(found["blk.3.attn_v.weight"] == DType::q8_0);
  REQUIRE(found["blk.3.attn_k.weight"] == DType::q8_0);
  REQUIRE(found["blk.3.attn_output.weight"] == DType::q5_k);
  REQUIRE(types("q4_0", shapes, {.layers = 8, .experts = 8})["blk.3.attn_output.weight"] == DType::q4_0);
  REQUIRE(types("q4_k_m", shapes, {.layers = 8, .experts = 7})["blk.3.attn_k.weight"] == DType::q4_k);

  REQUIRE(shares_values("llama", 80, 64, 8));
  REQUIRE_FALSE(shares_values("llama", 80, 64, 64));
  REQUIRE_FALSE(shares_values("llama", 32, 32, 8));
  REQUIRE(shares_values("qwen2", 80, 64, 64));
  REQUIRE_FALSE(shares_values("qwen3", 80, 64, 8));
  auto large = types("q4_k_m", layers_of(80, "attn_v.weight"), {.layers = 80, .shares_values = true});
  REQUIRE(large["blk.10.attn_v.weight"] == DType::q5_k);
  REQUIRE(large["blk.12.attn_v.weight"] == DType::q6_k);
}

TEST_CASE("rows that are not whole blocks get another type", "[convert]") {
  const auto type = [](const char* name, const std::string& tensor, std::size_t cols) {
    return types(name, {{tensor, {5, cols}}, {"output.weight", {5, 256}}},
                 {.layers = 1, .experts = 8})[tensor];
  };
  REQUIRE(type("q4_k_m", "blk.0.attn_q.weight", 96) == DType::q5_0);
  REQUIRE(type("q4_k_m", "blk.0.attn_output.weight", 96) == DType::q5_1);
  REQUIRE(type("q6_k", "blk.0.attn_q.weight", 96) == DType::q8_0);
  REQUIRE(type("q4_k_m", "blk.0.attn_q.weight", 33) == DType::f16);
  REQUIRE(type("q4_0", "blk.0.attn_q.weight", 48) == DType::f16);
  REQUIRE(type("q8_0", "blk.0.attn_q.weight", 16) == DType::f16);
  REQUIRE(type("bf16", "blk.0.attn_q.weight", 33) == DType::bf16);
}
