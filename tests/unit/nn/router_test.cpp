// The ways to choose experts, on cases computed by hand.
#include "nn/router.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace mla;

namespace {

using Kind = RouterKind;

void check(const RouterShape& shape, const std::vector<float>& bias, const std::vector<float>& logits,
           const std::vector<ExpertChoice>& expected) {
  REQUIRE(shape.top_k == expected.size());
  std::vector<ExpertChoice> chosen(shape.top_k);
  Arena arena;
  Router(shape, bias).choose(logits, arena, chosen);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    CHECK(chosen[i].expert == expected[i].expert);
    CHECK(chosen[i].weight == Approx(expected[i].weight).epsilon(1e-6));
  }
}

const float kLn2 = std::log(2.0F);
const float kLn3 = std::log(3.0F);

}  // namespace

TEST_CASE("router: greedy softmax takes the largest, normalizes if asked to, and scales") {
  // Probabilities 1/8, 2/8, 4/8, 1/8.
  const std::vector<float> logits = {0.0F, kLn2, 2 * kLn2, 0.0F};
  check({Kind::softmax_greedy, 4, 2, 1, 1, false, 3.0F}, {}, logits, {{1, 0.75F}, {2, 1.5F}});
  check({Kind::softmax_greedy, 4, 2, 1, 1, true, 3.0F}, {}, logits, {{1, 1.0F}, {2, 2.0F}});
  check({Kind::softmax_greedy, 4, 3, 1, 1, false, 1.0F}, {}, logits, {{0, 0.125F}, {1, 0.25F}, {2, 0.5F}});
}

TEST_CASE("router: group-limited softmax keeps the groups with the largest single probability") {
  // Probabilities 3/12, 3/12 | 4/12, 1/12 | 1/24, 1/24: the second group holds the largest, not the largest
  // sum.
  const std::vector<float> logits = {kLn3, kLn3, 2 * kLn2, 0.0F, -kLn2, -kLn2};
  check({Kind::softmax_group_limited, 6, 2, 3, 1, false, 1.0F}, {}, logits, {{2, 1.0F / 3}, {3, 1.0F / 12}});
  check({Kind::softmax_group_limited, 6, 2, 3, 2, false, 1.0F}, {}, logits, {{0, 0.25F}, {2, 1.0F / 3}});
}

TEST_CASE("router: sigmoid chooses with the bias and weights without it") {
  // Sigmoids 1/2, 2/3, 3/4, 1/2; with the bias 1.5, 2/3, 3/4, 1/2.
  const std::vector<float> logits = {0.0F, kLn2, kLn3, 0.0F};
  const std::vector<float> bias = {1.0F, 0.0F, 0.0F, 0.0F};
  check({Kind::sigmoid_noaux_tc, 4, 2, 1, 1, false, 2.0F}, bias, logits, {{0, 1.0F}, {2, 1.5F}});
  check({Kind::sigmoid_noaux_tc, 4, 2, 1, 1, true, 2.5F}, bias, logits, {{0, 1.0F}, {2, 1.5F}});
}

TEST_CASE("router: sigmoid groups count by their two best, and masked ones never win") {
  // Scores with bias -1.5, -1.5 | -2.5, -1: the first group's sum is larger, and all of it is negative.
  check({Kind::sigmoid_noaux_tc, 4, 2, 2, 1, true, 2.5F}, {-2.0F, -2.0F, -3.0F, -1.5F},
        std::vector<float>(4, 0.0F), {{0, 1.25F}, {1, 1.25F}});
}

TEST_CASE("router: a corrected softmax chooses among all with the bias and weights without it") {
  // Probabilities 1/8, 2/8, 4/8, 1/8; with the bias 1/8, 2/8, 1/8, 5/8. What looks like groups counts for nothing.
  const std::vector<float> logits = {0.0F, kLn2, 2 * kLn2, 0.0F};
  const std::vector<float> bias = {0.0F, 0.0F, -0.375F, 0.5F};
  check({Kind::softmax_corrected, 4, 2, 2, 1, false, 6.0F}, bias, logits, {{1, 1.5F}, {3, 0.75F}});
}

TEST_CASE("router: softmax groups count by the sum of their two largest probabilities") {
  // Probabilities 3/24, 6/24, 6/24 | 8/24, 1/24, 0: the second group has the largest one, the first the largest two.
  const std::vector<float> logits = {kLn3, kLn3 + kLn2, kLn3 + kLn2, 3 * kLn2, 0.0F, -200.0F};
  check({Kind::softmax_group_pairs, 6, 2, 2, 1, false, 2.0F}, {}, logits, {{1, 0.5F}, {2, 0.5F}});
  check({Kind::softmax_group_pairs, 6, 2, 2, 1, true, 2.0F}, {}, logits, {{1, 1.0F}, {2, 1.0F}});
  check({Kind::softmax_group_limited, 6, 1, 2, 1, false, 1.0F}, {}, logits, {{3, 1.0F / 3}});
  check({Kind::softmax_group_pairs, 6, 2, 2, 2, true, 1.0F}, {}, logits, {{1, 3.0F / 7}, {3, 4.0F / 7}});
}

TEST_CASE("router: ties go to the lower number, of experts and of groups") {
  const std::vector<float> equal(4, 0.0F);
  check({Kind::softmax_greedy, 4, 2, 1, 1, false, 1.0F}, {}, equal, {{0, 0.25F}, {1, 0.25F}});
  check({Kind::softmax_group_limited, 4, 1, 2, 1, false, 1.0F}, {}, equal, {{0, 0.25F}});
  check({Kind::sigmoid_noaux_tc, 4, 2, 2, 1, false, 1.0F}, equal, equal, {{0, 0.5F}, {1, 0.5F}});
}
