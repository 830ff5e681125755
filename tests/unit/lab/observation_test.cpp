// An observed pass is the decoder's own pass, and its parts add up.
#include "lab/observation.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lab/measures.h"
#include "lab/random_model.h"
#include "mla/error.h"
#include "mla/model.h"
#include "model/model_parts.h"

using namespace mla;
using namespace mla::lab;

namespace {

constexpr double kTolerance = 1e-5;  // Float32 sums of some dozen terms of the order of one.

std::vector<TokenId> some_ids(std::size_t count) {
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<TokenId>(i * i % 7));
  return ids;
}

RandomModel random_model(bool decoupled) {
  return RandomModel({.vocab_size = 7, .decoupled = decoupled, .normalized = true});
}

std::unique_ptr<PositionalEncoding> encoding(const std::string& name, const Decoder& decoder) {
  return encoding_named(name).make(decoder.encoding);
}

/// Softmax of the recorded scores against the recorded probabilities.
void check_probabilities(const Observation& seen, const HeadObservation& head) {
  for (std::size_t query = 0; query < seen.tokens; ++query) {
    double sum = 0.0;
    const VisibleKeys visible = seen.visible(head, query);
    for (std::size_t key = visible.begin; key < visible.end; ++key)
      sum += std::exp(static_cast<double>(head.score(query, key)));
    for (std::size_t key = 0; key < seen.tokens; ++key) {
      const double expected = key >= visible.begin && key < visible.end
                                  ? std::exp(static_cast<double>(head.score(query, key))) / sum
                                  : 0.0;
      CHECK(static_cast<double>(head.probabilities.at(query, key)) == Approx(expected).margin(kTolerance));
    }
  }
}

std::shared_ptr<const Model> load_golden(const std::string& name) {
  return Model::load(MLA_TEST_DATA_DIR "/golden/checkpoints/" + name, {.precision = Precision::f32});
}

}  // namespace

TEST_CASE("observation: probabilities are the softmax of the parts, under both masks, over blocks of rows") {
  for (const bool decoupled : {false, true}) {
    const RandomModel model = random_model(decoupled);
    for (const char* name : {"none", "rope", "alibi"})
      for (const AttentionMask mask : {AttentionMask::causal, AttentionMask::bidirectional})
        for (const std::size_t tokens : {1U, 3U, 70U}) {
          CAPTURE(decoupled, name, tokens);
          const auto stage = encoding(name, model.decoder());
          const Observation seen = observe(model.decoder(), some_ids(tokens),
                                           {.mask = mask, .encoding = stage.get(), .first_position = 3});
          REQUIRE(seen.layers.size() == 1);
          REQUIRE(seen.layers[0].heads.size() == 4);
          const HeadObservation& head = seen.layers[0].heads[1];
          CHECK(head.k_rotary.cols == (decoupled ? 8 : 0));
          check_probabilities(seen, head);
        }
  }
}

TEST_CASE("observation: where a layer has two attention blocks, both are seen") {
  const auto model =
      Model::load(MLA_TEST_DATA_DIR "/golden/checkpoints/longcat_two_layers", {.precision = Precision::f32});
  const Observation seen = observe(model->parts().decoder, some_ids(9), {});
  REQUIRE(seen.layers.size() == 4);
  for (const LayerObservation& layer : seen.layers) {
    REQUIRE(layer.heads.size() == 3);
    CHECK(layer.output.rows == 9);
    check_probabilities(seen, layer.heads[2]);
  }
}

TEST_CASE("observation: scaled queries are seen as they meet the keys") {
  const auto model =
      Model::load(MLA_TEST_DATA_DIR "/golden/checkpoints/mistral4_published", {.precision = Precision::f32});
  const Observation seen = observe(model->parts().decoder, some_ids(40), {.first_position = 21});
  for (const LayerObservation& layer : seen.layers) check_probabilities(seen, layer.heads[1]);
}

TEST_CASE("observation: with an indexer a row has probabilities for as many keys as are selected") {
  const auto model =
      Model::load(MLA_TEST_DATA_DIR "/golden/checkpoints/v32_positions", {.precision = Precision::f32});
  const Decoder& decoder = model->parts().decoder;
  const std::vector<TokenId> ids = some_ids(40);
  for (const char* name : {"none", "integer", "binary", "sinusoidal", "rope", "rope-decoupled", "alibi"})
    for (const AttentionMask mask : {AttentionMask::causal, AttentionMask::bidirectional}) {
      CAPTURE(name, mask == AttentionMask::causal);
      const auto stage = encoding(name, decoder);
      const Observation seen =
          observe(decoder, ids, {.mask = mask, .encoding = stage.get(), .first_position = 3});
      for (const LayerObservation& layer : seen.layers)
        for (const HeadObservation& head : layer.heads)
          for (std::size_t query = 0; query < seen.tokens; ++query) {
            const auto row = head.probabilities.row(query);
            const std::size_t keys = seen.visible(head, query).count();
            CHECK(static_cast<std::size_t>(std::count(row.begin(), row.end(), 0.0F)) ==
                  ids.size() - std::min<std::size_t>(keys, 14));
            double sum = 0.0;
            for (const float probability : row) sum += static_cast<double>(probability);
            CHECK(sum == Approx(1.0).margin(kTolerance));
          }
    }
}

TEST_CASE("observation: without a mask or an encoding equal tokens get equal bits") {
  for (const bool decoupled : {false, true}) {
    const RandomModel model = random_model(decoupled);
    for (const std::size_t tokens : {3U, 4U, 5U, 9U, 33U, 64U, 65U, 100U}) {
      std::vector<TokenId> ids = some_ids(tokens);
      ids.front() = 6;
      ids.back() = 6;
      const Observation seen = observe(model.decoder(), ids, {.mask = AttentionMask::bidirectional});
      CAPTURE(decoupled, tokens);
      CHECK(compare_contexts(seen, 0, tokens - 1).identical);
      CHECK(compare_vectors(seen.layers[0].output.row(0), seen.layers[0].output.row(tokens - 1)).identical);
    }
  }
}

TEST_CASE("observation: what it sees is what the decoder does") {
  const auto model = load_golden(GENERATE("v3_groups", "llama_gqa", "mistral_window", "gpt2_plain"));
  const Decoder& decoder = model->parts().decoder;
  const std::vector<TokenId> ids = some_ids(20);
  const Observation seen = observe(decoder, ids, {});

  class OutputOnly final : public ForwardObserver {
   public:
    std::vector<Grid> outputs;
    void attention_output(std::size_t, ConstMatrix out) override { outputs.emplace_back(out); }
  } onlooker;
  KvCache cache(decoder.cache_widths(), ids.size());
  cache.reserve(ids.size());
  Workspace workspace(2, best_kernels());
  for (std::size_t i = 0; i < ids.size(); ++i) {  // Token by token.
    PositionBatch batch{.first = i, .count = 1, .sequence_length = ids.size()};
    decoder.forward(std::span(ids).subspan(i, 1), batch, cache, {.observer = &onlooker}, workspace, Matrix{});
  }
  const std::size_t layers = decoder.layers.size();
  REQUIRE(onlooker.outputs.size() == ids.size() * layers);
  for (std::size_t i = 0; i < ids.size(); ++i)
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const Grid& once = onlooker.outputs[i * layers + layer];
      const Grid& all = seen.layers[layer].output;
      for (std::size_t col = 0; col < all.cols; ++col)
        REQUIRE(static_cast<double>(once.at(0, col)) ==
                Approx(static_cast<double>(all.at(i, col))).margin(kTolerance));
    }
}

TEST_CASE("observation: a text moved as a whole keeps its relative scores only under relative encodings") {
  const RandomModel model = random_model(true);
  const auto at = [&](const char* name, std::size_t first) {
    const auto stage = encoding(name, model.decoder());
    return observe(model.decoder(), some_ids(9), {.encoding = stage.get(), .first_position = first});
  };
  for (const char* name : {"none", "rope-decoupled", "alibi"})
    CHECK(shift_error(at(name, 0), at(name, 50)).largest < kTolerance);
  for (const char* name : {"integer", "binary", "sinusoidal"})
    CHECK(shift_error(at(name, 0), at(name, 50)).largest > 0.01);
}

TEST_CASE("observation: RoPE on whole heads cannot be absorbed") {
  const RandomModel model = random_model(false);
  const Decoder& decoder = model.decoder();
  const auto rope = encoding("rope", decoder);
  const std::vector<TokenId> ids = some_ids(3);
  KvCache cache(decoder.cache_widths(), ids.size());
  cache.reserve(ids.size());
  Workspace workspace(1, best_kernels());
  PositionBatch batch{.first = 0, .count = 3, .sequence_length = 3};
  CHECK_THROWS_WITH(decoder.forward(ids, batch, cache,
                                    {.path = AttentionPath::absorbed, .position = rope.get()}, workspace, {}),
                    Catch::Contains("absorbed"));
  CHECK_NOTHROW(decoder.forward(ids, batch, cache, {.position = rope.get()}, workspace, {}));
}

TEST_CASE("observation: ids that are not there are refused") {
  const RandomModel model = random_model(false);
  CHECK_THROWS_AS(observe(model.decoder(), {}, {}), Error);
  const std::vector<TokenId> outside = {0, 7};
  CHECK_THROWS_WITH(observe(model.decoder(), outside, {}), Catch::Contains("token 7"));
  const std::vector<TokenId> negative = {-1};
  CHECK_THROWS_AS(observe(model.decoder(), negative, {}), Error);
}

TEST_CASE("random model: numbers of the distributions it names, the same for the same seed") {
  const auto embedding = [](std::uint64_t seed) {
    const RandomModel model({.vocab_size = 500, .seed = seed});
    const TensorView& data = model.decoder().embed_tokens.data;
    std::vector<float> values(data.elements());
    std::memcpy(values.data(), data.data, values.size() * sizeof(float));
    return values;
  };
  const std::vector<float> values = embedding(1);
  CHECK(values == embedding(1));
  CHECK(values != embedding(2));
  const double n = static_cast<double>(values.size());
  double mean = 0.0, square = 0.0, fourth = 0.0;
  for (const float value : values) {
    const double x = static_cast<double>(value) / 0.02;
    mean += x / n;
    square += x * x / n;
    fourth += x * x * x * x / n;
  }
  // Five standard errors: of the mean 1 / sqrt(n), of the square sqrt(2 / n), of the fourth power sqrt(96 / n).
  CHECK(std::abs(mean) < 5.0 / std::sqrt(n));
  CHECK(std::abs(square - 1.0) < 5.0 * std::sqrt(2.0 / n));
  CHECK(std::abs(fourth - 3.0) < 5.0 * std::sqrt(96.0 / n));
}

TEST_CASE("observation: models that cache keys and values, with and without a window, under every encoding") {
  for (const char* name :
       {"llama_gqa", "llama_partial", "mistral_window", "qwen3_layer_types", "gpt2_plain"}) {
    const auto model = load_golden(name);
    const Decoder& decoder = model->parts().decoder;
    for (const char* encoding_name : {"none", "sinusoidal", "rope", "alibi"})
      for (const AttentionMask mask : {AttentionMask::causal, AttentionMask::bidirectional}) {
        CAPTURE(name, encoding_name, mask == AttentionMask::causal);
        const auto stage = encoding(encoding_name, decoder);
        const Observation seen =
            observe(decoder, some_ids(70), {.mask = mask, .encoding = stage.get(), .first_position = 3});
        REQUIRE(seen.layers.size() == decoder.layers.size());
        for (const LayerObservation& layer : seen.layers) {
          REQUIRE(layer.heads.size() == decoder.encoding.num_heads);
          CHECK(layer.heads.back().k_rotary.cols == 0);
          check_probabilities(seen, layer.heads.back());
        }
        const auto window =
            std::string(name) == "mistral_window" ? std::optional<std::size_t>(19) : std::nullopt;
        if (window || std::string(name) != "qwen3_layer_types")
          CHECK(seen.layers.front().heads.front().window == window);
      }
  }
}

TEST_CASE("observation: the visible keys, by hand") {
  HeadObservation head;
  Observation seen{.mask = AttentionMask::causal, .tokens = 10, .layers = {}};
  const auto range = [&](std::size_t query) {
    const VisibleKeys keys = seen.visible(head, query);
    return std::pair(keys.begin, keys.end);
  };
  CHECK(range(4) == std::pair<std::size_t, std::size_t>(0, 5));
  head.window = 3;
  CHECK(range(4) == std::pair<std::size_t, std::size_t>(2, 5));
  CHECK(range(1) == std::pair<std::size_t, std::size_t>(0, 2));
  CHECK(seen.visible(head, 4).count() == 3);
  seen.mask = AttentionMask::bidirectional;
  CHECK(range(4) == std::pair<std::size_t, std::size_t>(2, 7));
  CHECK(range(9) == std::pair<std::size_t, std::size_t>(7, 10));
  CHECK(range(0) == std::pair<std::size_t, std::size_t>(0, 3));
  head.window = std::size_t{1} << 40U;
  CHECK(range(4) == std::pair<std::size_t, std::size_t>(0, 10));
  head.window.reset();
  CHECK(range(4) == std::pair<std::size_t, std::size_t>(0, 10));
}
