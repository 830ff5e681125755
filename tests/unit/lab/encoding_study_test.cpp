// What is measured of the encodings against what their formulas say.
#include "lab/encoding_study.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "lab/encoding_study_json.h"
#include "mla/error.h"

using namespace mla;
using namespace mla::lab;

namespace {

constexpr double kTurn = 2.0 * std::numbers::pi;

StudyRequest request(std::size_t last, std::size_t dims) {
  StudyRequest result;
  result.last = last;
  result.dims = dims;
  return result;
}

EncodingStudy study(std::string_view name, const StudyRequest& asked) {
  return study_encoding(encoding_named(name), asked);
}

double frequency(double theta, std::size_t pair, std::size_t dims) {
  return std::pow(theta, -2.0 * static_cast<double>(pair) / static_cast<double>(dims));
}

RopeScaling scaled(RopeType type, double factor, std::size_t original) {
  RopeScaling scaling;
  scaling.type = type;
  scaling.factor = factor;
  scaling.original_max_position_embeddings = original;
  scaling.max_position_embeddings = original;
  return scaling;
}

}  // namespace

TEST_CASE("encoding study: bit k of binary changes every 2^k positions", "[lab]") {
  const EncodingStudy binary = study("binary", request(255, 8));
  for (std::size_t k = 0; k < 8; ++k) {
    INFO("k = " << k);
    CHECK(binary.indices[k].period == std::exp2(static_cast<double>(k + 1)));
    CHECK(binary.indices[k].largest_step == 1.0);
    if (k < 7) CHECK(binary.indices[k].changes_every.value() == Approx(std::exp2(static_cast<double>(k))));
  }
  CHECK_FALSE(binary.indices[7].changes_every);  // One change in 256 positions.
  CHECK(binary.step_range().least == 1.0);
  CHECK(binary.step_range().greatest == Approx(std::sqrt(8.0)));  // From 127 to 128 every bit changes.
  CHECK(binary.norm_range().greatest == Approx(std::sqrt(8.0)));  // Position 255.
  CHECK(binary.max_abs == 1.0);
}

TEST_CASE("encoding study: the dot product of sinusoidal positions depends on their distance alone",
          "[lab]") {
  constexpr std::size_t kDims = 16;
  const EncodingStudy sinusoidal = study("sinusoidal", request(99, kDims));
  for (const std::size_t distance : {0U, 1U, 2U, 7U, 50U, 99U}) {
    double expected = 0.0;
    for (std::size_t i = 0; i < kDims / 2; ++i)
      expected += std::cos(static_cast<double>(distance) * frequency(10000.0, i, kDims));
    const DistanceSummary& at = sinusoidal.proximity[distance];
    CHECK(at.mean == Approx(expected).margin(1e-5));
    CHECK(at.greatest - at.least < 1e-5);
  }
  CHECK(sinusoidal.properties.translation_invariance == Approx(1.0).margin(1e-9));
  CHECK(sinusoidal.norm_range().least == Approx(std::sqrt(8.0)));
  CHECK(sinusoidal.norm_range().greatest == Approx(std::sqrt(8.0)));

  double step = 0.0;  // |p_{n+1} - p_n|^2 = sum of 4 sin^2(w_i / 2), wherever n is: no jumps.
  for (std::size_t i = 0; i < kDims / 2; ++i)
    step += 4.0 * std::pow(std::sin(frequency(10000.0, i, kDims) / 2.0), 2.0);
  CHECK(sinusoidal.step_range().least == Approx(std::sqrt(step)).epsilon(1e-5));
  CHECK(sinusoidal.step_range().greatest == Approx(std::sqrt(step)).epsilon(1e-5));
}

TEST_CASE("encoding study: a wave changes its sign every half period", "[lab]") {
  const EncodingStudy sinusoidal = study("sinusoidal", request(2000, 8));
  for (std::size_t index = 0; index < 6; ++index) {
    INFO("index = " << index);
    const double period = kTurn / frequency(10000.0, index / 2, 8);
    CHECK(sinusoidal.indices[index].period.value() == Approx(period));
    CHECK(sinusoidal.indices[index].changes_every.value() == Approx(period / 2.0).epsilon(0.002));
  }
  CHECK_FALSE(sinusoidal.indices[6].changes_every);
}

TEST_CASE("encoding study: integer positions have norms p sqrt(d) and no end", "[lab]") {
  const EncodingStudy integer = study("integer", request(50, 12));
  for (std::size_t p = 0; p <= 50; ++p)
    CHECK(integer.norms[p] == Approx(static_cast<double>(p) * std::sqrt(12.0)).margin(1e-12));
  CHECK(integer.step_range().least == Approx(std::sqrt(12.0)));
  CHECK(integer.properties.monotonicity == Approx(0.5));
  CHECK_FALSE(integer.indices[0].period);
}

TEST_CASE("encoding study: rope's wavelengths are 2 pi theta^(2i/d)", "[lab]") {
  StudyRequest asked = request(63, 32);
  asked.settings.rope.theta = 500000.0;
  asked.trained_context = 512;
  const EncodingStudy rope = study("rope", asked);
  REQUIRE(rope.pairs.size() == 16);
  for (std::size_t i = 0; i < 16; ++i) {
    const double wavelength = kTurn * std::pow(500000.0, 2.0 * static_cast<double>(i) / 32.0);
    CHECK(rope.pairs[i].wavelength == Approx(wavelength).epsilon(1e-5));
    CHECK(rope.pairs[i].trained_turns == Approx(512.0 / wavelength).epsilon(1e-5));
    CHECK(rope.pairs[i].band == FrequencyBand::kept);
    CHECK(rope.indices[2 * i + 1].period.value() == rope.pairs[i].wavelength);
  }
  double expected = 0.0;
  for (std::size_t i = 0; i < 16; ++i) expected += std::cos(5.0 * frequency(500000.0, i, 32)) / 16.0;
  CHECK(rope.proximity[5].mean == Approx(expected).margin(1e-5));
  CHECK(rope.proximity[0].mean == Approx(1.0));
  CHECK(study("rope-decoupled", asked).values.values == rope.values.values);
}

TEST_CASE("encoding study: yarn's bands are those of its ramp", "[lab]") {
  constexpr std::size_t kDims = 64;
  const auto pairs = rotary_pairs(scaled(RopeType::yarn, 4.0, 4096), kDims, 1, 4096);
  // YaRN, section 3.2, with beta_fast 32 and beta_slow 1: pairs that make more than 32 turns stay, those with less
  // than one are interpolated; transformers rounds the bounds outwards to whole pairs.
  const auto pair_of = [](double turns) {
    return static_cast<double>(kDims) * std::log(4096.0 / (turns * kTurn)) / (2.0 * std::log(10000.0));
  };
  const double low = std::floor(pair_of(32.0));
  const double high = std::ceil(pair_of(1.0));
  std::array<std::size_t, 3> seen{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    INFO("pair " << i);
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    const double expected = frequency(10000.0, i, kDims) * (ramp / 4.0 + 1.0 - ramp);
    CHECK(pairs[i].frequency == Approx(expected).epsilon(1e-5));
    const FrequencyBand band = ramp == 0.0   ? FrequencyBand::kept
                               : ramp == 1.0 ? FrequencyBand::interpolated
                                             : FrequencyBand::blended;
    CHECK(pairs[i].band == band);
    ++seen[static_cast<std::size_t>(band)];
  }
  for (const std::size_t count : seen) CHECK(count > 3);
}

TEST_CASE("encoding study: the bands of the other rescalings", "[lab]") {
  for (const RotaryPair& pair : rotary_pairs(scaled(RopeType::linear, 2.0, 128), 16, 1, 128)) {
    CHECK(pair.band == FrequencyBand::interpolated);
    CHECK(pair.wavelength == Approx(2.0 * pair.original_wavelength).epsilon(1e-5));
  }
  for (const RotaryPair& pair : rotary_pairs(scaled(RopeType::llama3, 8.0, 512), 32, 1, 512)) {
    const FrequencyBand band = pair.original_wavelength < 512.0 / 4.0 ? FrequencyBand::kept
                               : pair.original_wavelength > 512.0     ? FrequencyBand::interpolated
                                                                      : FrequencyBand::blended;
    CHECK(pair.band == band);
  }
  const auto within = rotary_pairs(scaled(RopeType::dynamic, 2.0, 128), 16, 128, 128);
  const auto beyond = rotary_pairs(scaled(RopeType::dynamic, 2.0, 128), 16, 256, 128);
  CHECK(within.back().band == FrequencyBand::kept);
  CHECK(beyond.front().band == FrequencyBand::kept);  // theta^0
  CHECK(beyond.back().band == FrequencyBand::rescaled);
}

TEST_CASE("encoding study: dynamic rope is that of one sequence", "[lab]") {
  StudyRequest asked = request(255, 16);
  asked.settings.rope = scaled(RopeType::dynamic, 2.0, 128);
  const EncodingStudy rope = study("rope", asked);
  CHECK(rope.properties.translation_invariance == Approx(1.0).margin(1e-6));
  const double theta = 10000.0 * std::pow(2.0 * 256.0 / 128.0 - 1.0, 16.0 / 14.0);
  CHECK(static_cast<double>(rope.values.at(10, 14)) == Approx(std::cos(10.0 * frequency(theta, 7, 16))));
}

TEST_CASE("encoding study: alibi's published slopes", "[lab]") {
  const auto slopes = [](std::size_t heads) {
    std::vector<double> result;
    for (const IndexStudy& head : study("alibi", request(10, heads)).indices)
      result.push_back(head.largest_step);
    return result;
  };
  // Press et al. 2022, section 3: 1/2, 1/4, ..., 1/256 for 8 heads.
  const std::vector<double> of_8 = {0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625};
  CHECK(slopes(4) == std::vector<double>{0.25, 0.0625, 0.015625, 0.00390625});
  CHECK(slopes(8) == of_8);
  // 12 heads, as in the authors' code: those of 8, and every other of 16 heads' 2^-0.5, 2^-1, ...
  std::vector<double> of_12 = of_8;
  for (const double exponent : {-0.5, -1.5, -2.5, -3.5}) of_12.push_back(std::exp2(exponent));
  const std::vector<double> found = slopes(12);
  REQUIRE(found.size() == 12);
  for (std::size_t i = 0; i < 12; ++i) CHECK(found[i] == Approx(of_12[i]).epsilon(1e-5));

  const EncodingStudy alibi = study("alibi", request(63, 4));
  CHECK(alibi.proximity[9].mean == Approx(-9.0 * (0.25 + 0.0625 + 0.015625 + 0.00390625) / 4.0));
  CHECK(alibi.properties.monotonicity == 1.0);
  CHECK(alibi.properties.falls_until == 63);
}

TEST_CASE("encoding study: a learned table is shown as it is and not beyond its end", "[lab]") {
  StudyRequest asked = request(2, 2);
  asked.settings.table = PositionTable{.values = {1, 2, 3, 4, 5, 6}, .dims = 2};
  const EncodingStudy learned = study("learned", asked);
  CHECK(learned.values.values == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(learned.proximity[1].mean == Approx((11.0 + 39.0) / 2.0));
  asked.last = 3;
  CHECK_THROWS_AS(study("learned", asked), Error);
  asked.last = 1;
  asked.dims = 3;
  CHECK_THROWS_WITH(study("learned", asked), Catch::Contains("width of the learned table"));
}

TEST_CASE("encoding study: impossible requests", "[lab]") {
  StudyRequest backwards = request(2, 4);
  backwards.first = 5;
  CHECK_THROWS_WITH(study("binary", backwards), Catch::Contains("5..2"));
  CHECK_THROWS_WITH(study("binary", request(std::size_t{1} << 40, 4)), Catch::Contains("values in all"));
  CHECK_THROWS_WITH(study("binary", request(63, std::size_t{1} << 62)), Catch::Contains("values in all"));
  CHECK_THROWS_WITH(study("binary", request(~std::size_t{0}, 1)), Catch::Contains("values in all"));
  CHECK_THROWS_WITH(study("binary", request(63, 0)), Catch::Contains("values in all"));
  CHECK_THROWS_WITH(study("rope", request(63, 7)), Catch::Contains("even number"));
  StudyRequest small = request(255, 2);
  small.settings.rope = scaled(RopeType::dynamic, 2.0, 128);
  CHECK_THROWS_WITH(study("rope", small), Catch::Contains("at least 4"));
  StudyRequest longrope = request(63, 8);
  longrope.settings.rope = scaled(RopeType::longrope, 2.0, 128);
  longrope.settings.rope.short_factor = longrope.settings.rope.long_factor = {1.0, 2.0};
  CHECK_THROWS_WITH(study("rope", longrope), Catch::Contains("expected 4"));
}

TEST_CASE("encoding study: proximity is bounded, values are not cut", "[lab]") {
  const EncodingStudy binary = study("binary", request(1500, 4));
  CHECK(binary.positions() == 1501);
  CHECK(binary.proximity.size() == kMostProximityPositions);
}

TEST_CASE("encoding study: numbers in JSON are as short as float32 allows", "[lab]") {
  StudyRequest asked = request(0, 2);
  asked.settings.table = PositionTable{.values = {0.1F, std::numeric_limits<float>::quiet_NaN()}, .dims = 2};
  const auto json = as_json(study("learned", asked));
  CHECK(json["values"].dump() == "[[0.1,null]]");
  CHECK(as_json(study("binary", request(3, 2)))["values"].dump() == "[[0,0],[1,0],[0,1],[1,1]]");
}
