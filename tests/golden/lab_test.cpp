// What the laboratory measures, against an independent float64 pass with independent measures
// (tools/golden/lab_reference.py).
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "lab/measures.h"
#include "lab/observation.h"
#include "mla/model.h"
#include "model/model_parts.h"
#include "positional/registry.h"

using namespace mla;
using namespace mla::lab;

namespace {

/// The mean of a head's figure over all heads and layers.
template <typename Figure>
double mean_over_heads(const Observation& observation, Figure figure) {
  double sum = 0.0;
  std::size_t count = 0;
  for (const LayerObservation& layer : observation.layers)
    for (const HeadObservation& head : layer.heads) {
      sum += figure(head);
      ++count;
    }
  return sum / static_cast<double>(count);
}

constexpr double kRoundoff = 0x1p-24;

// A float32 sum of n products is off by at most n roundings, in units of the two vectors' lengths; the chain that ends
// in the contexts of the second layer has 15 such sums (9 in a whole layer: the queries' two, the latent, the keys
// and values, scores, mixing, output, and two in the MLP), and none is longer than the hidden size of 21. Errors
// that all point one way would add up to this. They do not, which leaves room for their growth in softmax.
constexpr double kForward = 15.0 * 21.0 * kRoundoff;

/// The pass and what it is compared with.
struct Passes {
  Observation plain;
  Observation encoded;
  Observation shifted;
};

struct Case {
  const Json& file;
  const Json& row;
  const Decoder& decoder;
  Passes passes;

  std::size_t first() const { return file["repeated"][0].get<std::size_t>(); }
  std::size_t second() const { return file["repeated"][1].get<std::size_t>(); }
  bool has(const char* key) const { return !row.at(key).is_null(); }
};

/// The largest length there is of queries, keys, contexts and biases: what rounding errors are relative to.
struct Sizes {
  double query = 0.0;
  double key = 0.0;
  double context = 0.0;
  double bias = 0.0;
  double scale = 0.0;

  void take(const HeadObservation& head) {
    for (std::size_t token = 0; token < head.q.rows; ++token) {
      query = std::max(query, norm(head.q.row(token)));
      key = std::max(key, std::hypot(norm(head.k_content.row(token)), norm(head.k_rotary.row(token))));
      context = std::max(context, norm(head.context.row(token)));
    }
    for (const float value : head.bias.values) bias = std::max(bias, std::abs(static_cast<double>(value)));
    scale = head.scale;
  }

  double context_error() const { return kForward * context; }
  double score_error() const { return kForward * scale * query * key + 2.0 * kRoundoff * bias; }
  /// Relative: softmax divides one exponential of a score by a sum of such.
  double probability_error() const { return 2.0 * score_error(); }
};

Sizes sizes_of(const Observation& observation) {
  Sizes sizes;
  for (const LayerObservation& layer : observation.layers)
    for (const HeadObservation& head : layer.heads) sizes.take(head);
  return sizes;
}

void check(const char* name, double found, const Json& expected, double tolerance) {
  CAPTURE(name, found, expected.get<double>(), tolerance);
  CHECK(std::abs(found - expected.get<double>()) <= tolerance);
}

void check_all(const char* name, std::span<const float> found, const Json& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    check(name, static_cast<double>(found[i]), expected[i], tolerance);
}

Passes run(const Decoder& decoder, const Json& file, const Json& row) {
  const auto ids = file["ids"].get<std::vector<TokenId>>();
  const auto encoding = encoding_named(row["encoding"].get<std::string>()).make(decoder.encoding);
  const auto none = encoding_named("none").make(decoder.encoding);
  const AttentionMask mask = row["mask"] == "causal" ? AttentionMask::causal : AttentionMask::bidirectional;
  return {
      observe(decoder, ids, {.mask = mask, .encoding = none.get()}),
      observe(decoder, ids, {.mask = mask, .encoding = encoding.get()}),
      observe(
          decoder, ids,
          {.mask = mask, .encoding = encoding.get(), .first_position = file["shift"].get<std::size_t>()})};
}

/// Calls `body`(case) for each row of each file.
template <typename Body>
std::size_t for_each_case(Body body) {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MLA_TEST_DATA_DIR "/golden/lab")) {
    const Json file = read_json_file(entry.path());
    const std::string checkpoint = file["checkpoint"];
    const auto model =
        Model::load(std::filesystem::path(MLA_TEST_DATA_DIR "/golden/checkpoints") / checkpoint,
                    {.precision = Precision::f32});
    const Decoder& decoder = model->parts().decoder;
    for (const Json& row : file["rows"]) {
      CAPTURE(checkpoint, row["encoding"].get<std::string>(), row["mask"].get<std::string>());
      body(Case{file, row, decoder, run(decoder, file, row)});
      ++cases;
    }
  }
  return cases;
}

/// Calls `body`(head, its reference) for each head of each layer.
template <typename Body>
void for_each_head(const Case& one, Body body) {
  const Json& layers = one.row["layers"];
  REQUIRE(one.passes.encoded.layers.size() == layers.size());
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const auto& heads = one.passes.encoded.layers[layer].heads;
    REQUIRE(heads.size() == layers[layer].size());
    for (std::size_t head = 0; head < heads.size(); ++head) {
      CAPTURE(layer, head);
      body(heads[head], layers[layer][head]);
    }
  }
}

constexpr std::size_t kCases = 20;

}  // namespace

TEST_CASE("observed contexts and attention are those of a float64 pass", "[golden][lab]") {
  const std::size_t cases = for_each_case([](const Case& one) {
    const Sizes sizes = sizes_of(one.passes.encoded);
    for_each_head(one, [&](const HeadObservation& head, const Json& expected) {
      check_all("first context", head.context.row(one.first()), expected["contexts"][0],
                sizes.context_error());
      check_all("second context", head.context.row(one.second()), expected["contexts"][1],
                sizes.context_error());
      check_all("attention", head.probabilities.row(head.probabilities.rows - 1), expected["last_attention"],
                sizes.probability_error());
    });
  });
  CHECK(cases == kCases);
}

TEST_CASE("measures of a pair of tokens", "[golden][lab]") {
  for_each_case([](const Case& one) {
    const double error = sizes_of(one.passes.encoded).context_error();
    double cosine_error = 0.0;
    double heads = 0.0;
    for_each_head(one, [&](const HeadObservation& head, const Json& expected) {
      // An error e of a vector turns it by e / length.
      const double turn =
          error / norm(head.context.row(one.first())) + error / norm(head.context.row(one.second()));
      const PairDifference pair = compare_contexts(head, one.first(), one.second());
      check("cosine", pair.cosine, expected["cosine"], turn);
      check("l2", pair.l2, expected["l2"], 2.0 * error);
      cosine_error += turn;
      heads += 1.0;
    });
    const PairDifference pair = compare_contexts(one.passes.encoded, one.first(), one.second());
    CHECK(pair.identical == one.row["identical"].get<bool>());
    CHECK(pair.identical_1e6 == one.row["identical"].get<bool>());
    check("mean cosine", pair.cosine, one.row["cosine"], cosine_error / heads);
    check("mean l2", pair.l2, one.row["l2"], 2.0 * error);
  });
}

TEST_CASE("spread of the scores and of their parts", "[golden][lab]") {
  const std::vector<std::pair<const char*, ScorePart>> parts = {{"score_std", ScorePart::all},
                                                                {"content_score_std", ScorePart::content},
                                                                {"rotary_score_std", ScorePart::rotary},
                                                                {"bias_std", ScorePart::bias}};
  for_each_case([&](const Case& one) {
    const Observation& seen = one.passes.encoded;
    // A standard deviation changes by no more than the largest change of a value.
    const double error = sizes_of(seen).score_error();
    for (const auto& [name, part] : parts) {
      for_each_head(one, [&, named = name, wanted = part](const HeadObservation& head, const Json& expected) {
        check(named, score_spread(seen, head, wanted), expected[named], error);
      });
      const double mean = mean_over_heads(
          seen, [&, wanted = part](const HeadObservation& head) { return score_spread(seen, head, wanted); });
      check(name, mean, one.row[name], error);
    }
  });
}

TEST_CASE("distance and entropy of the attention", "[golden][lab]") {
  for_each_case([](const Case& one) {
    const double error = sizes_of(one.passes.encoded).probability_error();
    const auto check_both = [&](double distance, double entropy, const Json& expected) {
      check("attention_distance", distance, expected["attention_distance"], error * distance);
      // d(-p ln p) = -(ln p + 1) dp, and dp is relative to p.
      check("attention_entropy", entropy, expected["attention_entropy"], error * (entropy + 1.0));
    };
    for_each_head(one, [&](const HeadObservation& head, const Json& expected) {
      check_both(attention_distance(head), attention_entropy(head), expected);
    });
    check_both(mean_over_heads(one.passes.encoded, attention_distance),
               mean_over_heads(one.passes.encoded, attention_entropy), one.row);
  });
}

TEST_CASE("pollution of the embeddings", "[golden][lab]") {
  for_each_case([](const Case& one) {
    const Pollution found = pollution(one.passes.plain, one.passes.encoded);
    // Four roundings: the scale and its product, the encoding's value, the sum. They are relative to x + p, the
    // cosine compares with x; without the means both may be somewhat shorter.
    const double error = 16.0 * kRoundoff * found.norm_inflation;
    check("norm_inflation", found.norm_inflation, one.row["norm_inflation"], error);
    check("pollution_cosine", found.cosine, one.row["pollution_cosine"], error);
    check("pollution_centered_cosine", found.centered_cosine, one.row["pollution_centered_cosine"], error);
  });
}

TEST_CASE("change of the scores when the text is shifted", "[golden][lab]") {
  for_each_case([](const Case& one) {
    const ShiftError found = shift_error(one.passes.encoded, one.passes.shifted);
    const double error =
        sizes_of(one.passes.encoded).score_error() + sizes_of(one.passes.shifted).score_error();
    check("shift_error", found.mean, one.row["shift_error"], error);
    check("shift_error_max", found.largest, one.row["shift_error_max"], error);
  });
}

TEST_CASE("measures of rotations", "[golden][lab]") {
  std::size_t rotations = 0;
  std::size_t whole = 0;
  for_each_case([&](const Case& one) {
    const Observation& seen = one.passes.encoded;
    const Sizes sizes = sizes_of(seen);
    if (!one.has("norm_error")) return;
    ++rotations;
    // Cosine and sine within an ulp (two roundings each), a product and a sum.
    check("norm_error", norm_error(one.passes.plain, seen), one.row["norm_error"], 8.0 * kRoundoff);
    for_each_head(one, [&](const HeadObservation& head, const Json& expected) {
      const std::vector<double> use =
          frequency_use(head, one.decoder.encoding.pairing, one.decoder.encoding.rotary_dim);
      REQUIRE(use.size() == expected["frequency_use"].size());
      for (std::size_t pair = 0; pair < use.size(); ++pair)
        check("frequency_use", use[pair], expected["frequency_use"][pair],
              2.0 * kForward * sizes.query * sizes.key);
    });
    if (!one.has("absorption_error")) return;
    ++whole;
    const double found = absorption_error(one.passes.plain, seen);
    const double spread = one.row["score_std"];
    check("absorption_error", found, one.row["absorption_error"],
          (2.0 + found) * sizes.score_error() / spread);
  });
  CHECK(rotations == 4);
  CHECK(whole == 2);
}
