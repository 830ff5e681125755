// Every measure against what it must be by hand.
#include "lab/measures.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "unit/lab/lab_test_data.h"

using namespace mla;
using namespace mla::lab;
using lab_test::empty_head;
using lab_test::grid;
using lab_test::one_head;

namespace {

Approx near(double value) {
  return Approx(value).margin(1e-12).epsilon(1e-7);  // Inputs are float32.
}

}  // namespace

TEST_CASE("measures: norm, cosine and distance of a 3-4-5 triangle") {
  const std::vector<float> a = {3.0F, 0.0F};
  const std::vector<float> b = {0.0F, 4.0F};
  const std::vector<float> sum = {3.0F, 4.0F};
  CHECK(norm(sum) == near(5.0));
  CHECK(l2_distance(a, b) == near(5.0));
  CHECK(cosine(a, b) == near(0.0));
  CHECK(cosine(a, sum) == near(0.6));
  CHECK(cosine(a, std::vector<float>{0.0F, 0.0F}) == 0.0);
}

TEST_CASE("measures: identical means every bit, close means 1e-6") {
  const std::vector<float> a = {1.0F, -2.0F};
  const std::vector<float> next = {std::nextafter(1.0F, 2.0F), -2.0F};
  const std::vector<float> far = {1.0F + 2e-6F, -2.0F};
  CHECK(compare_vectors(a, a).identical);
  CHECK_FALSE(compare_vectors(a, next).identical);
  CHECK(compare_vectors(a, next).identical_1e6);
  CHECK_FALSE(compare_vectors(a, far).identical_1e6);
  CHECK_FALSE(compare_vectors(std::vector<float>{0.0F}, std::vector<float>{-0.0F}).identical);
}

TEST_CASE("measures: one head that differs is enough, cosine and distance are means") {
  HeadObservation same = empty_head(2, 1, 0);
  same.context = grid({{3.0F, 4.0F}, {3.0F, 4.0F}});
  HeadObservation other = empty_head(2, 1, 0);
  other.context = grid({{3.0F, 0.0F}, {0.0F, 4.0F}});
  Observation observation = one_head(AttentionMask::causal, same);
  CHECK(compare_contexts(observation, 0, 1).identical);
  observation.layers.push_back({.input = {}, .output = {}, .heads = {other}});
  const PairDifference pair = compare_contexts(observation, 0, 1);
  CHECK_FALSE(pair.identical);
  CHECK_FALSE(pair.identical_1e6);
  CHECK(pair.cosine == near(0.5));
  CHECK(pair.l2 == near(2.5));
}

TEST_CASE("measures: pollution") {
  Observation plain = one_head(AttentionMask::causal, empty_head(2, 1, 0));
  Observation encoded = plain;
  plain.layers[0].input = grid({{1.0F, -1.0F}, {0.0F, 2.0F}});
  // The same number added to both values: gone behind LayerNorm, not behind RMSNorm.
  encoded.layers[0].input = grid({{1.0F, -1.0F}, {3.0F, 5.0F}});
  const Pollution found = pollution(plain, encoded);
  const double length = std::sqrt(34.0);
  CHECK(found.norm_inflation == near((1.0 + length / 2.0) / 2.0));
  CHECK(found.cosine == near((1.0 + 5.0 / length) / 2.0));
  CHECK(found.centered_cosine == near(1.0));
}

TEST_CASE("measures: a rotation keeps norms, anything else shows") {
  HeadObservation before = empty_head(2, 1, 2);
  before.q = grid({{9.0F, 3.0F, 4.0F}, {9.0F, 1.0F, 0.0F}});
  before.k_rotary = grid({{0.0F, 2.0F}, {1.0F, 1.0F}});
  HeadObservation after = before;
  after.q = grid({{7.0F, -4.0F, 3.0F}, {9.0F, 0.0F, -1.0F}});  // The content part does not count.
  after.k_rotary = grid({{2.0F, 0.0F}, {-1.0F, 1.0F}});
  const Observation plain = one_head(AttentionMask::causal, before);
  CHECK(norm_error(plain, one_head(AttentionMask::causal, after)) == near(0.0));
  after.k_rotary.at(0, 0) = 2.5F;
  CHECK(norm_error(plain, one_head(AttentionMask::causal, after)) == near(0.25));
  after.q.at(1, 2) = -2.0F;
  CHECK(norm_error(plain, one_head(AttentionMask::causal, after)) == near(1.0));
}

TEST_CASE("measures: without a rotary part of its own the whole head is what is rotated") {
  HeadObservation before = empty_head(1, 2, 0);
  before.q = grid({{3.0F, 4.0F}});
  before.k_content = grid({{1.0F, 0.0F}});
  HeadObservation after = before;
  after.k_content = grid({{0.0F, 3.0F}});
  CHECK(norm_error(one_head(AttentionMask::causal, before), one_head(AttentionMask::causal, after)) ==
        near(2.0));
}

TEST_CASE("measures: shift error counts visible scores only, all parts together") {
  HeadObservation head = empty_head(2, 1, 0);
  HeadObservation moved = head;
  moved.content_scores = grid({{1.0F, 100.0F}, {0.5F, 0.0F}});
  moved.bias = grid({{0.0F, 0.0F}, {-2.0F, 0.0F}});
  const ShiftError causal =
      shift_error(one_head(AttentionMask::causal, head), one_head(AttentionMask::causal, moved));
  CHECK(causal.mean == near((1.0 + 1.5 + 0.0) / 3.0));
  CHECK(causal.largest == near(1.5));
  const ShiftError both = shift_error(one_head(AttentionMask::bidirectional, head),
                                      one_head(AttentionMask::bidirectional, moved));
  CHECK(both.mean == near((1.0 + 100.0 + 1.5) / 4.0));
}

TEST_CASE("measures: score spread of each part") {
  HeadObservation head = empty_head(3, 1, 0);
  head.content_scores = grid({{5.0F, 0.0F, 0.0F}, {1.0F, 3.0F, 0.0F}, {2.0F, 2.0F, 2.0F}});
  head.rotary_scores = grid({{0.0F, 0.0F, 0.0F}, {0.0F, 0.0F, 0.0F}, {3.0F, 0.0F, 0.0F}});
  head.bias = grid({{0.0F, 0.0F, 0.0F}, {-2.0F, 0.0F, 0.0F}, {0.0F, 0.0F, 0.0F}});
  const Observation seen = one_head(AttentionMask::causal, head);
  const double last = std::sqrt(2.0);  // Of {3, 0, 0}: mean 1, variance (4 + 1 + 1) / 3.
  CHECK(score_spread(seen, head, ScorePart::content) == near((1.0 + 0.0) / 2.0));
  CHECK(score_spread(seen, head, ScorePart::rotary) == near((0.0 + last) / 2.0));
  CHECK(score_spread(seen, head, ScorePart::bias) == near((1.0 + 0.0) / 2.0));
  CHECK(score_spread(seen, head, ScorePart::all) == near((2.0 + last) / 2.0));
  CHECK(score_spread(one_head(AttentionMask::causal, empty_head(1, 1, 0)), empty_head(1, 1, 0),
                     ScorePart::all) == 0.0);
}

TEST_CASE("measures: distance and entropy of attention") {
  HeadObservation head = empty_head(3, 1, 0);
  head.probabilities = grid({{1.0F, 0.0F, 0.0F}, {0.5F, 0.5F, 0.0F}, {0.25F, 0.25F, 0.5F}});
  CHECK(attention_distance(head) == near((0.0 + 0.5 + 0.75) / 3.0));
  CHECK(attention_entropy(head) == near((0.0 + std::log(2.0) + 1.5 * std::log(2.0)) / 3.0));
}

TEST_CASE("measures: frequency use is the product of mean lengths, pair by pair") {
  HeadObservation head = empty_head(2, 1, 4);
  head.q = grid({{9.0F, 3.0F, 4.0F, 0.0F, 1.0F}, {9.0F, 0.0F, 1.0F, 0.0F, 3.0F}});
  head.k_rotary = grid({{1.0F, 0.0F, 0.0F, 2.0F}, {0.0F, 3.0F, 0.0F, 4.0F}});
  const std::vector<double> pairs = frequency_use(head, RopePairing::interleaved, 4);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0] == near(3.0 * 2.0));
  CHECK(pairs[1] == near(2.0 * 3.0));
  // Halves: (0, 2) and (1, 3).
  const std::vector<double> halves = frequency_use(head, RopePairing::halves, 4);
  CHECK(halves[0] == near((3.0 + 0.0) / 2.0 * (1.0 + 0.0) / 2.0));
  CHECK(halves[1] == near((std::sqrt(17.0) + std::sqrt(10.0)) / 2.0 * (2.0 + 5.0) / 2.0));
}

TEST_CASE("measures: frequency use of a head that is rotated in part") {
  HeadObservation head = empty_head(2, 5, 0);
  head.q = grid({{3.0F, 4.0F, 9.0F, 9.0F, 9.0F}, {0.0F, 1.0F, 9.0F, 9.0F, 9.0F}});
  head.k_content = grid({{1.0F, 0.0F, 7.0F, 7.0F, 7.0F}, {0.0F, 3.0F, 7.0F, 7.0F, 7.0F}});
  const std::vector<double> use = frequency_use(head, RopePairing::halves, 2);
  REQUIRE(use.size() == 1);
  CHECK(use[0] == near(3.0 * 2.0));
}

TEST_CASE("measures: a window hides scores from their spread and from the shift") {
  HeadObservation head = empty_head(3, 1, 0);
  head.content_scores = grid({{5.0F, 0.0F, 0.0F}, {1.0F, 3.0F, 0.0F}, {100.0F, 2.0F, 8.0F}});
  head.window = 2;
  const Observation seen = one_head(AttentionMask::causal, head);
  CHECK(score_spread(seen, head, ScorePart::all) == near((1.0 + 3.0) / 2.0));
  HeadObservation moved = head;
  moved.content_scores.at(2, 0) = 0.0F;
  moved.content_scores.at(2, 1) = 3.0F;
  const ShiftError error = shift_error(seen, one_head(AttentionMask::causal, moved));
  CHECK(error.largest == near(1.0));
  CHECK(error.mean == near(1.0 / 5.0));
}

TEST_CASE("measures: what absorbing would miss") {
  HeadObservation plain = empty_head(2, 2, 0);
  plain.k_content = grid({{1.0F, 0.0F}, {1.0F, 0.0F}});
  HeadObservation rotated = plain;
  rotated.scale = 0.5;
  rotated.q = grid({{2.0F, 0.0F}, {0.0F, 4.0F}});
  rotated.k_content = grid({{1.0F, 0.0F}, {0.0F, 1.0F}});
  rotated.content_scores = grid({{1.0F, 0.0F}, {0.0F, 2.0F}});
  const Observation before = one_head(AttentionMask::causal, plain);
  const Observation after = one_head(AttentionMask::causal, rotated);
  // Scores 1; 0, 2 against 1; 0, 0 with unrotated keys; spread of the second query is 1.
  CHECK(absorption_error(before, after) == near(2.0 / 3.0));
}
