// What a pass must do, counted by hand for small models.
#include <catch2/catch.hpp>

#include <filesystem>
#include <string>
#include <utility>

#include "kernels/isa.h"
#include "mla/bench.h"
#include "mla/model.h"
#include "model/model_parts.h"
#include "nn/gqa_attention.h"
#include "nn/mla_attention.h"

using mla::BenchKind;
using mla::Model;
using mla::MultiplyUnit;
using mla::PassWork;
using mla::Precision;

namespace {

const std::string kCheckpoints = MLA_TEST_DATA_DIR "/golden/checkpoints/";

double fp32(const PassWork& work) {
  return work.operations[static_cast<std::size_t>(MultiplyUnit::fp32)];
}

/// The sum of what attention takes over all layers.
mla::AttentionWork attention_of(const Model& model, std::size_t first, std::size_t rows) {
  mla::AttentionWork sum;
  for (const mla::DecoderLayer& layer : model.parts().decoder.layers) {
    const mla::AttentionWork one = layer.attention->work(first, rows);
    sum.multiplications += one.multiplications;
    sum.cache_values += one.cache_values;
  }
  return sum;
}

}  // namespace

TEST_CASE("pairs of rows and what they see", "[bench]") {
  CHECK(mla::visible_pairs(0, 1, 100) == 1.0);
  CHECK(mla::visible_pairs(0, 4, 100) == 1 + 2 + 3 + 4);
  CHECK(mla::visible_pairs(10, 3, 100) == 11 + 12 + 13);
  CHECK(mla::visible_pairs(0, 5, 2) == 1 + 2 + 2 + 2 + 2);
  CHECK(mla::visible_pairs(10, 3, 12) == 11 + 12 + 12);
  CHECK(mla::visible_pairs(10, 3, 4) == 4 + 4 + 4);
  CHECK(mla::visible_pairs(7, 0, 100) == 0.0);
}

TEST_CASE("grouped-query attention takes queries' widths of products and all keys and values", "[bench]") {
  const mla::GqaShape shape{
      .num_heads = 6, .num_key_value_heads = 2, .head_dim = 5, .softmax_scale = 1.0F, .window = {}};
  const mla::AttentionWork decode = mla::GqaAttention(shape, {}).work(9, 1);
  CHECK(decode.multiplications == 10 * 2 * 6 * 5);
  CHECK(decode.cache_values == 10 * 2 * 2 * 5);

  mla::GqaShape windowed = shape;
  windowed.window = 4;
  const mla::AttentionWork narrow = mla::GqaAttention(windowed, {}).work(9, 3);
  CHECK(narrow.multiplications == 3 * 4 * 2 * 6 * 5);
  CHECK(narrow.cache_values == (4 + 2) * 2 * 2 * 5);  // Rows 9, 10 and 11 see 6 to 11.
}

TEST_CASE("latent attention takes the cheaper of its two forms", "[bench]") {
  mla::MlaShape shape;
  shape.num_heads = 3;
  shape.kv_lora_rank = 16;
  shape.qk_nope_head_dim = 8;
  shape.qk_rope_head_dim = 4;
  shape.v_head_dim = 6;
  const mla::MlaAttention attention(shape, {});
  // One row over 100: absorbed, 2 * 16 + 4 a pair; decompressed the 99 before it would have to be made first.
  const mla::AttentionWork decode = attention.work(99, 1);
  CHECK(decode.multiplications == 3 * 100 * (2 * 16 + 4));
  CHECK(decode.cache_values == 100 * (16 + 4));
  // 50 rows from nothing: 8 + 4 + 6 a pair, their own keys and values are made by the matrices.
  const mla::AttentionWork prefill = attention.work(0, 50);
  CHECK(prefill.multiplications == 3 * (50 * 51 / 2) * (8 + 4 + 6));
  CHECK(prefill.cache_values == 50 * (16 + 4));
  // 50 rows behind 10: these are decompressed again.
  CHECK(attention.work(10, 50).multiplications == 3 * ((50 * 10 + 50 * 51 / 2) * 18 + 10 * 16 * (8 + 6)));

  // Without a rotary part of its own it cannot be absorbed.
  shape.qk_rope_head_dim = 0;
  CHECK(mla::MlaAttention(shape, {}).work(99, 1).multiplications == 3 * (100 * 14 + 99 * 16 * 14));
}

TEST_CASE("an indexer scores the whole context in float32 beside attention to what it selects", "[bench]") {
  const mla::MlaShape shape{.num_heads = 3,
                            .kv_lora_rank = 16,
                            .qk_nope_head_dim = 8,
                            .qk_rope_head_dim = 4,
                            .v_head_dim = 6,
                            .softmax_scale = 1.0F};
  mla::MlaWeights weights;
  weights.indexer = mla::Indexer({.num_heads = 2, .head_dim = 10, .rotary_dim = 4, .top_k = 30}, {});
  const mla::MlaAttention attention(shape, std::move(weights));
  const mla::AttentionWork decode = attention.work(99, 1);
  CHECK(decode.multiplications == 3 * 30 * (2 * 16 + 4));
  CHECK(decode.cache_values == 30 * (16 + 4));
  CHECK(decode.index_multiplications == 100 * 2 * 10);
  CHECK(decode.index_values == 100 * 10);
  const mla::AttentionWork dense = attention.work(28, 2);
  CHECK(dense.index_multiplications == 0);
  CHECK(dense.index_values == 0);

  for (const Precision precision : {Precision::f32, Precision::fast}) {
    const auto model = Model::load(kCheckpoints + "v32_few", {.precision = precision});
    const PassWork pass = mla::pass_work(*model, 60, 1);
    double values = 0.0, index_values = 0.0;
    for (const mla::DecoderLayer& layer : model->parts().decoder.layers) {
      const mla::AttentionWork one = layer.attention->work(60, 1);
      CHECK(one.index_values > 0.0);
      values += one.cache_values;
      index_values += one.index_values;
    }
    double bytes = 0.0;
    for (const auto& [type, active] : model->info().active_weights)
      bytes += static_cast<double>(active.bytes);
    CHECK(pass.bytes == bytes + (precision == Precision::fast ? 2.0 : 4.0) * values + 4.0 * index_values);
  }
}

TEST_CASE("the active weights of every checkpoint are its active parameters", "[bench]") {
  std::size_t models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kCheckpoints)) {
    const auto model = Model::load(entry.path(), {.precision = Precision::f32});
    const mla::ModelInfo& info = model->info();
    CAPTURE(info.path);
    std::size_t elements = 0, bytes = 0;
    for (const auto& [type, active] : info.active_weights) {
      elements += active.elements;
      bytes += active.bytes;
      CHECK(active.layer_elements + active.head_elements <= active.elements);
    }
    CHECK(elements == info.active_parameters);
    CHECK(bytes <= info.weight_bytes);
    ++models;
  }
  CHECK(models > 100);
}

TEST_CASE("a dense model with latent attention reads its weights and its cache", "[bench]") {
  // vocabulary 97, hidden 48, 3 layers; see config.json.
  const auto model = Model::load(kCheckpoints + "v3_dense_only", {.precision = Precision::f32});
  const mla::ModelInfo& info = model->info();
  const mla::Decoder& decoder = model->parts().decoder;
  std::size_t bytes = 0, matrices = 0;
  for (const mla::CheckpointTensor& tensor : model->parts().source.checkpoint.tensors()) {
    if (tensor.name == "model.embed_tokens.weight") {
      bytes += tensor.data.size() / info.vocab_size;
      continue;
    }
    bytes += tensor.data.size();
    if (tensor.shape.size() == 2 && tensor.name != "lm_head.weight")
      matrices += tensor.shape[0] * tensor.shape[1];
  }
  const std::size_t head = decoder.vocab_size() * decoder.hidden_size();
  const double cache_row = static_cast<double>(info.cache_bytes_per_token);

  const PassWork decode = mla::pass_work(*model, 7, 1);
  CHECK(decode.bytes == static_cast<double>(bytes) + 8 * cache_row);
  CHECK(fp32(decode) ==
        2.0 * static_cast<double>(matrices + head) + 2.0 * attention_of(*model, 7, 1).multiplications);

  const PassWork prefill = mla::pass_work(*model, 2, 10);
  CHECK(fp32(prefill) ==
        2.0 * static_cast<double>(10 * matrices + head) + 2.0 * attention_of(*model, 2, 10).multiplications);

  PassWork two = mla::pass_work(*model, 7, 1);
  two += mla::pass_work(*model, 8, 1);
  const PassWork test = mla::test_work(*model, {BenchKind::decode, 2, 7, 1});
  CHECK(test.bytes == two.bytes);
  CHECK(test.operations == two.operations);
}

TEST_CASE("of experts a token reads those chosen", "[bench]") {
  for (const char* name :
       {"v3_groups", "v3_fused_experts"}) {  // One tensor an expert; all of a layer in one.
    const auto model = Model::load(kCheckpoints + name, {.precision = Precision::f32});
    const mla::ModelInfo& info = model->info();
    CAPTURE(name, info.experts, info.active_experts);
    REQUIRE(info.experts > info.active_experts);
    REQUIRE(info.active_experts > 0);
    std::size_t routed = 0, others = 0;
    for (const mla::CheckpointTensor& tensor : model->parts().source.checkpoint.tensors()) {
      if (tensor.name.find(".experts.") != std::string::npos)
        routed += tensor.data.size();
      else
        others += tensor.name == "model.embed_tokens.weight" ? tensor.data.size() / info.vocab_size
                                                             : tensor.data.size();
    }
    const PassWork work = mla::pass_work(*model, 0, 1);
    const std::size_t expected =
        others + routed / info.experts * info.active_experts + info.cache_bytes_per_token;
    CHECK(work.bytes == static_cast<double>(expected));
  }
}

TEST_CASE("tied embeddings are read as the output head", "[bench]") {
  const auto model = Model::load(kCheckpoints + "llama_tied", {.precision = Precision::f32});
  const mla::ModelInfo& info = model->info();
  std::size_t head = 0, bytes = 0;
  for (const auto& [type, active] : info.active_weights) {
    head += active.head_elements;
    bytes += active.bytes;
  }
  CHECK(head == info.vocab_size * model->parts().decoder.hidden_size());
  CHECK(bytes == info.weight_bytes);
}

TEST_CASE("the unit of a type", "[bench]") {
  for (const char* type : {"F32", "F16", "BF16", "Q8_0", "Q4_K", "F8_E4M3"})
    CHECK(mla::multiply_unit(Precision::f32, type) == MultiplyUnit::fp32);
  for (const char* type : {"F32", "F16", "F8_E4M3"})
    CHECK(mla::multiply_unit(Precision::fast, type) == MultiplyUnit::fp32);
  // Activations in float32, or in pairs of bf16 where there are tiles for these.
  const bool tiles = mla::chosen_isa() == mla::Isa::amx;
  CHECK(mla::multiply_unit(Precision::fast, "BF16") == (tiles ? MultiplyUnit::bf16 : MultiplyUnit::fp32));
  for (const char* type : {"Q8_0", "Q4_0", "Q4_K", "IQ4_XS"})
    CHECK(mla::multiply_unit(Precision::fast, type) == MultiplyUnit::int8);
}

TEST_CASE("a cache of bf16 is read and multiplied as that", "[bench]") {
  // Latents; keys and values of several heads, which lie apart.
  for (const std::string& path : {std::string(MLA_MODELS_DIR) + "/stories", kCheckpoints + "llama_gqa"}) {
    CAPTURE(path);
    const auto exact = Model::load(path, {.precision = Precision::f32});
    const auto fast = Model::load(path, {.precision = Precision::fast});
    const auto grown = [](const Model& model, auto part) {  // By 20 tokens more in the cache.
      return part(mla::pass_work(model, 40, 1)) - part(mla::pass_work(model, 20, 1));
    };
    const auto bytes = [](const PassWork& work) { return work.bytes; };
    const auto unit = [](MultiplyUnit which) {
      return [which](const PassWork& work) { return work.operations[static_cast<std::size_t>(which)]; };
    };
    CHECK(grown(*exact, bytes) == Approx(20.0 * static_cast<double>(exact->info().cache_bytes_per_token)));
    CHECK(grown(*fast, bytes) == Approx(grown(*exact, bytes) / 2.0));
    CHECK(grown(*exact, unit(MultiplyUnit::fp32)) > 0.0);
    CHECK(grown(*fast, unit(MultiplyUnit::bf16)) == Approx(grown(*exact, unit(MultiplyUnit::fp32))));
    CHECK(grown(*fast, unit(MultiplyUnit::fp32)) == 0.0);
  }
}

TEST_CASE("weights that are repacked to another type count as that", "[bench]") {
  const std::string path = std::string(MLA_MODELS_DIR) + "/stories";
  const auto exact = Model::load(path, {.precision = Precision::f32})->info();
  const auto fast = Model::load(path, {.precision = Precision::fast, .quantize = "q8_0"})->info();
  REQUIRE(fast.active_weights.contains("Q8_0"));
  std::size_t elements = 0;
  for (const auto& [type, active] : fast.active_weights) elements += active.elements;
  CHECK(elements == exact.active_parameters);
  const mla::ActiveWeights& blocks = fast.active_weights.at("Q8_0");
  CHECK(blocks.bytes == blocks.elements / 32 * 34);
  CHECK(blocks.layer_elements + blocks.head_elements == blocks.elements);
  // Only the row of the embeddings, the routers and vectors are left as floats.
  CHECK(blocks.elements * 10 > exact.active_parameters * 9);
  const PassWork work =
      mla::pass_work(*Model::load(path, {.precision = Precision::fast, .quantize = "q8_0"}), 0, 1);
  CHECK(work.operations[static_cast<std::size_t>(MultiplyUnit::int8)] ==
        2.0 * static_cast<double>(blocks.elements));
}

TEST_CASE("the least seconds are those of all units together", "[bench]") {
  mla::MachineLimits limits;
  limits.peaks = {{MultiplyUnit::fp32, "avx2", 1, 100.0},
                  {MultiplyUnit::fp32, "avx512", 1, 200.0},
                  {MultiplyUnit::int8, "avx2", 1, 1000.0},
                  {MultiplyUnit::int8, "avx2", 2, 2000.0}};
  limits.reads = {{1, 10.0}, {2, 20.0}};
  PassWork work;
  work.operations = {400.0, 0.0, 3000.0};
  CHECK(*mla::least_multiply_seconds(work, limits, 1) == 2.0 + 3.0);
  CHECK_FALSE(mla::least_multiply_seconds(work, limits, 2).has_value());  // No fp32 peak of two threads.
  work.operations = {0.0, 50.0, 0.0};
  CHECK(*mla::least_multiply_seconds(work, limits, 1) == 0.25);  // bf16 as fp32.
  limits.peaks.push_back({MultiplyUnit::bf16, "amx", 1, 500.0});
  CHECK(*mla::least_multiply_seconds(work, limits, 1) == 0.1);
  CHECK(*limits.bytes_per_second(2) == 20.0);
  CHECK_FALSE(limits.bytes_per_second(3).has_value());
}
