// The rotation itself, against the formula in double.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "positional/encoding.h"
#include "positional/registry.h"
#include "positional/rope.h"

using namespace mla;

namespace {

constexpr double kRoundoff = 0x1p-24;
constexpr double kAngleError =
    16.0 * kRoundoff;  ///< The relative error of an angle: power, quotient, product.

RopeScaling plain() {
  return RopeScaling{};
}

std::vector<float> random_values(std::size_t n, unsigned seed) {
  std::mt19937 source(seed);
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(static_cast<double>(source()) * 0x1p-31 - 1.0);
  return values;
}

PositionBatch batch_of(const PositionalEncoding& encoding, std::size_t first, std::size_t count,
                       std::size_t sequence_length) {
  PositionBatch batch;
  batch.first = first;
  batch.count = count;
  batch.sequence_length = sequence_length;
  encoding.prepare(batch);
  return batch;
}

/// One head of nothing but rotated values, at `position`.
std::vector<float> rotated(const Rope& rope, std::vector<float> head, std::size_t position) {
  const PositionBatch batch = batch_of(rope, position, 1, position + 1);
  rope.rotate(batch, Matrix{head.data(), 1, head.size(), head.size()}, head.size(), 0);
  return head;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

TEST_CASE("Queries are scaled by how often their position passes the original length") {
  RopeScaling scaling;
  scaling.query_scaling_beta = 0.5;
  scaling.original_max_position_embeddings = 16;
  for (const std::size_t position : {0U, 1U, 15U}) CHECK(rope_query_scale(scaling, position) == 1.0F);
  CHECK(rope_query_scale(scaling, 16) == Approx(1.0 + 0.5 * std::log(2.0)).epsilon(1e-6));
  CHECK(rope_query_scale(scaling, 31) == rope_query_scale(scaling, 16));
  CHECK(rope_query_scale(scaling, 32) == Approx(1.0 + 0.5 * std::log(3.0)).epsilon(1e-6));

  const Rope rope(scaling, 4, RopePairing::halves);
  PositionBatch batch{.first = 3, .count = 20, .sequence_length = 23, .offset = 30};
  rope.prepare(batch);
  rope.prepare(batch);  // A batch is used again for the next call.
  REQUIRE(batch.query_scales.size() == 20);
  for (std::size_t row = 0; row < 20; ++row)
    CHECK(batch.query_scales[row] == rope_query_scale(scaling, 33 + row));
  CHECK(batch_of(Rope(plain(), 4, RopePairing::halves), 0, 3, 3).query_scales.empty());
}

TEST_CASE("Halves are turned as by a rope of halves, whatever its own pairs are") {
  const Rope own(plain(), 8, RopePairing::interleaved), halves(plain(), 8, RopePairing::halves);
  const PositionBatch batch = batch_of(own, 5, 3, 8);
  std::vector<float> a = random_values(3 * 22, 2), b = a;
  own.rotate_halves(batch, Matrix{a.data(), 3, 22, 22}, 11, 2);
  halves.rotate(batch, Matrix{b.data(), 3, 22, 22}, 11, 2);
  CHECK(a == b);
  halves.rotate_halves(batch, Matrix{a.data(), 3, 22, 22}, 11, 2);
  halves.rotate(batch, Matrix{b.data(), 3, 22, 22}, 11, 2);
  CHECK(a == b);
}

TEST_CASE("Rows from some row of a batch on are turned as they are with the whole batch") {
  for (const RopePairing pairing : {RopePairing::interleaved, RopePairing::halves}) {
    const Rope rope(plain(), 8, pairing);
    const PositionBatch batch = batch_of(rope, 5, 9, 14);
    std::vector<float> whole = random_values(9 * 22, 3), parts = whole;
    rope.rotate(batch, Matrix{whole.data(), 9, 22, 22}, 11, 2);
    rope.rotate_from(0, batch, Matrix{parts.data(), 4, 22, 22}, 11, 2);
    rope.rotate_from(4, batch, Matrix{parts.data() + std::size_t{4} * 22, 5, 22, 22}, 11, 2);
    CHECK(whole == parts);
  }
}

TEST_CASE("Rotation turns the pairs of every head and leaves the rest alone") {
  const std::size_t heads = 3;
  const std::size_t count = 5;
  for (const RopePairing pairing : {RopePairing::interleaved, RopePairing::halves})
    for (const std::size_t dim : {std::size_t{2}, std::size_t{8}, std::size_t{12}})
      for (const std::size_t offset : {std::size_t{0}, std::size_t{16}})
        for (const std::size_t behind : {std::size_t{0}, std::size_t{4}})
          for (const std::size_t first : {std::size_t{0}, std::size_t{1000}}) {
            const Rope rope(plain(), dim, pairing);
            const PositionBatch batch = batch_of(rope, first, count, first + count);
            REQUIRE(batch.cosines.size() == count * dim / 2);
            REQUIRE(batch.sines.size() == count * dim / 2);
            const std::size_t head_dim = offset + dim + behind;
            const std::size_t stride = heads * head_dim + 3;  // Rows lie apart.
            const std::vector<float> before = random_values(count * stride, 1);
            std::vector<float> x = before;
            rope.rotate(batch, Matrix{x.data(), count, heads * head_dim, stride}, head_dim, offset);

            std::vector<double> expected(before.begin(), before.end());
            std::vector<double> tolerance(before.size(), 0.0);  // Whatever is not rotated keeps its bits.
            for (std::size_t row = 0; row < count; ++row)
              for (std::size_t head = 0; head < heads; ++head)
                for (std::size_t i = 0; i < dim / 2; ++i) {
                  const bool interleaved = pairing == RopePairing::interleaved;
                  const std::size_t start = row * stride + head * head_dim + offset;
                  const std::size_t at_a = start + (interleaved ? 2 * i : i);
                  const std::size_t at_b = start + (interleaved ? 2 * i + 1 : i + dim / 2);
                  const double a = static_cast<double>(before[at_a]);
                  const double b = static_cast<double>(before[at_b]);
                  const double angle =
                      static_cast<double>(first + row) /
                      std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(dim));
                  expected[at_a] = a * std::cos(angle) - b * std::sin(angle);
                  expected[at_b] = a * std::sin(angle) + b * std::cos(angle);
                  // The angle's error moves the point along its circle; cosine, products and sum round.
                  const double bound = (angle * kAngleError + 4.0 * kRoundoff) * (std::abs(a) + std::abs(b));
                  tolerance[at_a] = tolerance[at_b] = bound;
                }
            int wrong = 0;
            for (std::size_t i = 0; i < x.size(); ++i)
              wrong += std::abs(static_cast<double>(x[i]) - expected[i]) <= tolerance[i] ? 0 : 1;
            INFO("dim = " << dim << ", offset = " << offset << ", behind = " << behind
                          << ", first = " << first << ", " << rope.describe());
            CHECK(wrong == 0);
          }
}

TEST_CASE("Position 0 is the identity") {
  for (const RopePairing pairing : {RopePairing::interleaved, RopePairing::halves}) {
    const Rope rope(plain(), 64, pairing);
    const std::vector<float> head = random_values(64, 2);
    CHECK(rotated(rope, head, 0) == head);
    CHECK(rotated(rope, head, 1) != head);
  }
}

TEST_CASE("Rotation keeps norms") {
  for (const RopePairing pairing : {RopePairing::interleaved, RopePairing::halves})
    for (const std::size_t position :
         {std::size_t{1}, std::size_t{77}, std::size_t{5000}, std::size_t{163839}}) {
      const Rope rope(plain(), 64, pairing);
      const std::vector<float> head = random_values(64, 3);
      const std::vector<float> turned = rotated(rope, head, position);
      CHECK(std::sqrt(dot(turned, turned)) == Approx(std::sqrt(dot(head, head))).epsilon(1e-6));
    }
}

TEST_CASE("Scores depend on the distance of positions only") {
  for (const RopePairing pairing : {RopePairing::interleaved, RopePairing::halves}) {
    const Rope rope(plain(), 64, pairing);
    const std::vector<float> query = random_values(64, 4);
    const std::vector<float> key = random_values(64, 5);
    const double norms = std::sqrt(dot(query, query) * dot(key, key));
    for (const std::size_t distance : {std::size_t{0}, std::size_t{1}, std::size_t{9}, std::size_t{300}}) {
      const double score = dot(rotated(rope, query, distance), rotated(rope, key, 0));
      // The other way round is another score, so that a rotation that ignores the sign is found.
      const double reversed = dot(rotated(rope, query, 0), rotated(rope, key, distance));
      if (distance == 0)
        CHECK(score == Approx(dot(query, key)).margin(1e-6 * norms));
      else
        CHECK(std::abs(score - reversed) > 1e-3 * norms);
      for (const std::size_t shift : {std::size_t{1}, std::size_t{100}, std::size_t{2000}}) {
        const double shifted = dot(rotated(rope, query, distance + shift), rotated(rope, key, shift));
        // Each angle is a rounded product of position and frequency, which itself is the same everywhere.
        const double angles = static_cast<double>(distance + 2 * shift) * kRoundoff;
        INFO("distance " << distance << ", shift " << shift);
        CHECK(std::abs(shifted - score) <= (angles + 8.0 * kRoundoff) * norms);
      }
    }
  }
}

TEST_CASE("Angles are rounded to float32 as the reference rounds them") {
  const Rope rope(plain(), 64, RopePairing::halves);
  const std::size_t position = 160001;
  const PositionBatch batch = batch_of(rope, position, 1, position + 1);
  const std::vector<float> frequencies = rope_inverse_frequencies(plain(), 64, 0);
  bool rounding_matters = false;
  for (std::size_t i = 0; i < 32; ++i) {
    const float angle = static_cast<float>(position) * frequencies[i];
    INFO("i = " << i);
    CHECK(static_cast<double>(batch.cosines[i]) == Approx(std::cos(static_cast<double>(angle))).margin(2e-7));
    CHECK(static_cast<double>(batch.sines[i]) == Approx(std::sin(static_cast<double>(angle))).margin(2e-7));
    const double exact = static_cast<double>(position) * static_cast<double>(frequencies[i]);
    rounding_matters =
        rounding_matters || std::abs(std::cos(exact) - std::cos(static_cast<double>(angle))) > 1e-4;
  }
  CHECK(rounding_matters);
}

TEST_CASE("The attention factor scales cosines and sines") {
  RopeScaling scaling;
  scaling.type = RopeType::yarn;
  scaling.factor = 40.0;
  scaling.original_max_position_embeddings = 4096;
  scaling.attention_factor = 1.0;
  const PositionBatch one = batch_of(Rope(scaling, 64, RopePairing::halves), 50, 3, 53);
  scaling.attention_factor = 0.75;
  const PositionBatch less = batch_of(Rope(scaling, 64, RopePairing::halves), 50, 3, 53);
  bool right = true;
  for (std::size_t i = 0; i < one.cosines.size(); ++i)
    right = right && less.cosines[i] == one.cosines[i] * 0.75F && less.sines[i] == one.sines[i] * 0.75F;
  CHECK(right);
}

TEST_CASE("Prepare takes the frequencies of the whole sequence") {
  RopeScaling dynamic;
  dynamic.type = RopeType::dynamic;
  dynamic.max_position_embeddings = 64;
  dynamic.factor = 4.0;
  RopeScaling longrope;
  longrope.type = RopeType::longrope;
  longrope.original_max_position_embeddings = 64;
  longrope.factor = 4.0;
  longrope.short_factor = {1.0, 1.0, 1.0, 1.0};
  longrope.long_factor = {2.0, 3.0, 4.0, 5.0};
  for (const RopeScaling& scaling : {dynamic, longrope}) {
    const Rope rope(scaling, 8, RopePairing::halves);
    const double attention = rope_attention_factor(scaling);
    for (const std::size_t length : {std::size_t{3}, std::size_t{64}, std::size_t{65}, std::size_t{200}}) {
      const PositionBatch batch = batch_of(rope, 1, 2, length);  // The same rows every time.
      const std::vector<float> frequencies = rope_inverse_frequencies(scaling, 8, length);
      for (std::size_t row = 0; row < 2; ++row)
        for (std::size_t i = 0; i < 4; ++i) {
          const double angle = static_cast<double>(1 + row) * static_cast<double>(frequencies[i]);
          INFO(name_of(scaling.type) << ", length " << length << ", row " << row << ", i " << i);
          CHECK(static_cast<double>(batch.cosines[row * 4 + i]) ==
                Approx(std::cos(angle) * attention).margin(3e-7));
          CHECK(static_cast<double>(batch.sines[row * 4 + i]) ==
                Approx(std::sin(angle) * attention).margin(3e-7));
        }
    }
    CHECK(batch_of(rope, 1, 2, 64).cosines == batch_of(rope, 1, 2, 3).cosines);
    CHECK(batch_of(rope, 1, 2, 65).cosines != batch_of(rope, 1, 2, 64).cosines);
  }
  const Rope rope(plain(), 8, RopePairing::halves);
  CHECK(batch_of(rope, 1, 2, 3).cosines == batch_of(rope, 1, 2, 1000000).cosines);
}

TEST_CASE("Prepare may be called again for a smaller batch") {
  const Rope rope(plain(), 8, RopePairing::halves);
  PositionBatch batch = batch_of(rope, 0, 9, 9);
  batch.first = 9;
  batch.count = 1;
  batch.sequence_length = 10;
  rope.prepare(batch);
  CHECK(batch.cosines == batch_of(rope, 9, 1, 10).cosines);
  CHECK(batch.sines == batch_of(rope, 9, 1, 10).sines);
}

TEST_CASE("Rope describes itself") {
  RopeScaling scaling;
  scaling.type = RopeType::linear;
  scaling.factor = 2.0;
  const std::string interleaved = Rope(scaling, 64, RopePairing::interleaved).describe();
  const std::string halves = Rope(scaling, 64, RopePairing::halves).describe();
  CHECK(interleaved != halves);
  for (const std::string& text : {interleaved, halves}) {
    CHECK_THAT(text, Catch::Contains("64"));
    CHECK_THAT(text, Catch::Contains("linear"));
  }
}

TEST_CASE("No encoding changes nothing") {
  const auto nothing = encoding_named("none").make({});
  const PositionBatch batch = batch_of(*nothing, 3, 2, 5);
  CHECK(batch.cosines.empty());
  const std::vector<float> before = random_values(16, 6);
  std::vector<float> x = before;
  nothing->rotate(batch, Matrix{x.data(), 2, 8, 8}, 8, 0);
  nothing->add_to_embedding(batch, Matrix{x.data(), 2, 8, 8});
  nothing->add_score_bias({}, Matrix{x.data(), 2, 8, 8});
  CHECK(x == before);
}
