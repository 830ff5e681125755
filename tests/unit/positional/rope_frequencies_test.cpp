// The frequencies of every rope type against formulas in double, written from the papers.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "positional/rope_frequencies.h"

using namespace mla;

namespace {

constexpr double kPi = 3.14159265358979323846;

constexpr std::array kTypes = {RopeType::standard, RopeType::linear, RopeType::dynamic,
                               RopeType::yarn,     RopeType::llama3, RopeType::longrope};

double plain(double theta, std::size_t i, std::size_t dim) {
  return std::exp(-2.0 * static_cast<double>(i) / static_cast<double>(dim) * std::log(theta));
}

/// `inverse` has dim / 2 values, each expected(i) but for a relative error of `tolerance`. A frequency is
/// rounded at the exponent (a relative error of ln(theta) roundings), the power, the quotient and where it
/// is scaled: 1e-6 is 17 roundings.
template <typename Expected>
void check_frequencies(const std::vector<float>& inverse, std::size_t dim, Expected expected,
                       double tolerance = 1e-6) {
  REQUIRE(inverse.size() == dim / 2);
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    INFO("dim = " << dim << ", i = " << i);
    CHECK(static_cast<double>(inverse[i]) == Approx(expected(i)).epsilon(tolerance).margin(0.0));
  }
}

RopeScaling of_type(RopeType type, double factor) {
  RopeScaling scaling;
  scaling.type = type;
  scaling.factor = factor;
  scaling.max_position_embeddings = 4096;
  scaling.original_max_position_embeddings = 4096;
  return scaling;
}

RopeScaling deepseek_v2_lite() {
  RopeScaling scaling = of_type(RopeType::yarn, 40.0);
  scaling.max_position_embeddings = 163840;
  scaling.mscale = 0.707;
  scaling.mscale_all_dim = 0.707;
  return scaling;
}

/// YaRN as its paper has it: gamma is 1 where a dimension turns often enough over the trained context.
double yarn(const RopeScaling& scaling, std::size_t i, std::size_t dim, double low, double high) {
  const double gamma = std::clamp((high - static_cast<double>(i)) / (high - low), 0.0, 1.0);
  const double inverse = plain(scaling.theta, i, dim);
  return inverse * gamma + inverse / scaling.factor * (1.0 - gamma);
}

/// The dimension whose wave makes `turns` turns over the trained context.
double yarn_dimension(const RopeScaling& scaling, std::size_t dim, double turns) {
  const double trained = static_cast<double>(scaling.original_max_position_embeddings);
  return static_cast<double>(dim) / 2.0 * std::log(trained / (2.0 * kPi * turns)) / std::log(scaling.theta);
}

/// YaRN's attention temperature.
double m(double factor, double mscale) {
  return 1.0 + 0.1 * mscale * std::log(factor);
}

}  // namespace

TEST_CASE("Rope types have the names of configs") {
  const std::array names = {"default", "linear", "dynamic", "yarn", "llama3", "longrope"};
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    CHECK(name_of(kTypes[i]) == names[i]);
    CHECK(rope_type_named(names[i]) == kTypes[i]);
  }
  for (const char* unknown : {"", "Default", "YARN", "yarn ", "su", "mrope", "proportional", "standard"})
    CHECK(rope_type_named(unknown) == std::nullopt);
}

TEST_CASE("Default frequencies are theta^(-2i/d)") {
  for (const double theta : {10000.0, 50000.0, 8000000.0})
    for (const std::size_t dim : {std::size_t{2}, std::size_t{4}, std::size_t{64}, std::size_t{96}}) {
      RopeScaling scaling = of_type(RopeType::standard, 40.0);  // The factor is not read.
      scaling.theta = theta;
      const auto inverse = rope_inverse_frequencies(scaling, dim, 0);
      check_frequencies(inverse, dim, [&](std::size_t i) { return plain(theta, i, dim); });
      CHECK(inverse[0] == 1.0F);
      CHECK(rope_inverse_frequencies(scaling, dim, 1000000) == inverse);
    }
}

TEST_CASE("Linear scaling divides every frequency") {
  const RopeScaling scaling = of_type(RopeType::linear, 2.5);
  check_frequencies(rope_inverse_frequencies(scaling, 64, 0), 64,
                    [](std::size_t i) { return plain(10000.0, i, 64) / 2.5; });
}

TEST_CASE("Dynamic scaling raises theta beyond the trained length and not before") {
  const RopeScaling scaling = of_type(RopeType::dynamic, 4.0);
  const auto trained = rope_inverse_frequencies(of_type(RopeType::standard, 1.0), 64, 0);
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{4095}, std::size_t{4096}})
    CHECK(rope_inverse_frequencies(scaling, 64, length) == trained);
  for (const std::size_t length : {std::size_t{4097}, std::size_t{6000}, std::size_t{16384}}) {
    const double growth = 4.0 * static_cast<double>(length) / 4096.0 - 3.0;
    const double theta = 10000.0 * std::pow(growth, 64.0 / 62.0);
    const auto inverse = rope_inverse_frequencies(scaling, 64, length);
    check_frequencies(inverse, 64, [&](std::size_t i) { return plain(theta, i, 64); });
    CHECK(inverse[0] == 1.0F);
    CHECK(inverse[31] < trained[31]);
  }
}

TEST_CASE("YaRN's ramp with the numbers of DeepSeek-V2-Lite") {
  const RopeScaling scaling = deepseek_v2_lite();
  CHECK(yarn_dimension(scaling, 64, 32.0) == Approx(10.472).margin(5e-4));
  CHECK(yarn_dimension(scaling, 64, 1.0) == Approx(22.513).margin(5e-4));
  const auto inverse = rope_inverse_frequencies(scaling, 64, 0);
  const auto kept = rope_inverse_frequencies(of_type(RopeType::standard, 1.0), 64, 0);
  REQUIRE(inverse.size() == 32);
  for (std::size_t i = 0; i < 32; ++i) {
    INFO("i = " << i);
    const double expected = plain(10000.0, i, 64);
    if (i <= 10) CHECK(inverse[i] == kept[i]);
    if (i > 10 && i < 23) {
      CHECK(static_cast<double>(inverse[i]) < 0.999 * expected);
      CHECK(static_cast<double>(inverse[i]) > 1.001 * expected / 40.0);
    }
    if (i >= 23) CHECK(static_cast<double>(inverse[i]) == Approx(expected / 40.0).epsilon(5e-7).margin(0.0));
  }
  // In the ramp a share rounded against 1 weighs up to 40 times as much: 40 roundings are 2.4e-6.
  check_frequencies(
      inverse, 64, [&](std::size_t i) { return yarn(scaling, i, 64, 10.0, 23.0); }, 1e-5);
  CHECK(rope_inverse_frequencies(scaling, 64, 163840) == inverse);  // At every length.
}

TEST_CASE("YaRN without truncation, with other turns and at the edges of the ramp") {
  RopeScaling scaling = deepseek_v2_lite();
  scaling.truncate = false;
  const double low = yarn_dimension(scaling, 64, 32.0);
  const double high = yarn_dimension(scaling, 64, 1.0);
  check_frequencies(
      rope_inverse_frequencies(scaling, 64, 0), 64,
      [&](std::size_t i) { return yarn(scaling, i, 64, low, high); }, 1e-5);

  scaling.truncate = true;
  scaling.beta_fast = 8.0;
  scaling.beta_slow = 2.0;  // c(8) = 15.29 and c(2) = 20.10.
  check_frequencies(
      rope_inverse_frequencies(scaling, 64, 0), 64,
      [&](std::size_t i) { return yarn(scaling, i, 64, 15.0, 21.0); }, 1e-5);

  // A trained context so short that c(32) is negative: the ramp begins at 0.
  scaling.beta_fast = 32.0;
  scaling.beta_slow = 1.0;
  scaling.original_max_position_embeddings = 128;  // c(32) = -1.57 and c(1) = 10.47.
  check_frequencies(
      rope_inverse_frequencies(scaling, 64, 0), 64,
      [&](std::size_t i) { return yarn(scaling, i, 64, 0.0, 11.0); }, 1e-5);

  // A c(beta_slow) beyond the last dimension: the ramp ends at d - 1 (not at d / 2 - 1).
  scaling.original_max_position_embeddings = 4096;
  scaling.beta_slow = 1e-6;  // d = 16: c(32) = 2.62 and c(1e-6) = 17.6.
  check_frequencies(
      rope_inverse_frequencies(scaling, 16, 0), 16,
      [&](std::size_t i) { return yarn(scaling, i, 16, 2.0, 15.0); }, 1e-5);

  // A ramp without width is a step.
  scaling = deepseek_v2_lite();
  scaling.original_max_position_embeddings = 6;  // c(1) = -0.16: low = high = 0.
  check_frequencies(rope_inverse_frequencies(scaling, 64, 0), 64,
                    [&](std::size_t i) { return i == 0 ? 1.0 : plain(10000.0, i, 64) / 40.0; });
}

TEST_CASE("Llama 3 scales long waves, keeps short ones and blends between") {
  RopeScaling scaling = of_type(RopeType::llama3, 8.0);
  scaling.theta = 500000.0;
  scaling.original_max_position_embeddings = 8192;
  const auto inverse = rope_inverse_frequencies(scaling, 128, 0);
  std::array<int, 3> bands = {};
  const auto expected = [&](std::size_t i) {
    const double frequency = plain(500000.0, i, 128);
    const double wavelength = 2.0 * kPi / frequency;
    if (wavelength < 8192.0 / 4.0) return ++bands[0], frequency;
    if (wavelength > 8192.0 / 1.0) return ++bands[1], frequency / 8.0;
    const double smooth = (8192.0 / wavelength - 1.0) / (4.0 - 1.0);
    return ++bands[2], (1.0 - smooth) * frequency / 8.0 + smooth * frequency;
  };
  check_frequencies(inverse, 128, expected, 1e-5);  // The share of the plain one weighs 8 times as much.
  CHECK((bands[0] > 20 && bands[1] > 20 && bands[2] > 3));

  scaling.low_freq_factor = 2.0;
  scaling.high_freq_factor = 16.0;
  const auto other = [&](std::size_t i) {
    const double turns = 8192.0 * plain(500000.0, i, 128) / (2.0 * kPi);
    const double smooth = std::clamp((turns - 2.0) / 14.0, 0.0, 1.0);
    return plain(500000.0, i, 128) * ((1.0 - smooth) / 8.0 + smooth);
  };
  check_frequencies(rope_inverse_frequencies(scaling, 128, 0), 128, other, 1e-5);
}

TEST_CASE("Scaled frequencies are rounded as the reference rounds them") {
  // From transformers 5.23 and torch 2.13. One unit in the last place more would be 2e-5 of an angle at position 300.
  RopeScaling llama3 = of_type(RopeType::llama3, 8.0);
  llama3.theta = 777.5;
  llama3.original_max_position_embeddings = 16;
  CHECK(rope_inverse_frequencies(llama3, 12, 0).front() == 0.576056361F);
  llama3.theta = 500000.0;
  llama3.original_max_position_embeddings = 8192;
  const auto blended = rope_inverse_frequencies(llama3, 128, 0);
  const std::vector<float> expected = {0.00216657063F,  0.00137189368F, 0.00085675146F,
                                       0.000524846022F, 0.00031269365F, 0.000178507791F};
  CHECK(std::vector<float>(blended.begin() + 29, blended.begin() + 35) == expected);

  RopeScaling dynamic = of_type(RopeType::dynamic, 1.7);
  dynamic.theta = 777.5;
  dynamic.max_position_embeddings = 64;
  CHECK(rope_inverse_frequencies(dynamic, 8, 101) ==
        std::vector<float>{1.0F, 0.150740862F, 0.0227228086F, 0.00342525565F});
}

TEST_CASE("LongRoPE switches its factors beyond the original length") {
  RopeScaling scaling = of_type(RopeType::longrope, 32.0);
  for (std::size_t i = 0; i < 16; ++i) {
    scaling.short_factor.push_back(1.0 + 0.1 * static_cast<double>(i));
    scaling.long_factor.push_back(2.0 + 3.0 * static_cast<double>(i));
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{4095}, std::size_t{4096}})
    check_frequencies(rope_inverse_frequencies(scaling, 32, length), 32,
                      [&](std::size_t i) { return plain(10000.0, i, 32) / scaling.short_factor[i]; });
  for (const std::size_t length : {std::size_t{4097}, std::size_t{131072}})
    check_frequencies(rope_inverse_frequencies(scaling, 32, length), 32,
                      [&](std::size_t i) { return plain(10000.0, i, 32) / scaling.long_factor[i]; });
}

TEST_CASE("Attention and softmax factor of DeepSeek-V2-Lite") {
  CHECK(rope_attention_factor(deepseek_v2_lite()) == 1.0);
  CHECK(rope_softmax_factor(deepseek_v2_lite()) == Approx(1.58963).epsilon(5e-6));
}

TEST_CASE("YaRN's attention factor") {
  RopeScaling scaling = of_type(RopeType::yarn, 40.0);
  CHECK(rope_attention_factor(scaling) == Approx(0.1 * std::log(40.0) + 1.0));
  scaling.mscale = 0.5;  // One of the two alone is not used.
  CHECK(rope_attention_factor(scaling) == Approx(0.1 * std::log(40.0) + 1.0));
  scaling.mscale = 0.0;
  scaling.mscale_all_dim = 0.8;
  CHECK(rope_attention_factor(scaling) == Approx(0.1 * std::log(40.0) + 1.0));
  scaling.mscale = 0.5;
  CHECK(rope_attention_factor(scaling) == Approx(m(40.0, 0.5) / m(40.0, 0.8)));
  scaling.attention_factor = 0.25;
  CHECK(rope_attention_factor(scaling) == 0.25);

  for (const double factor : {1.0, 0.5}) CHECK(rope_attention_factor(of_type(RopeType::yarn, factor)) == 1.0);
}

TEST_CASE("LongRoPE's attention factor") {
  RopeScaling scaling = of_type(RopeType::longrope, 32.0);
  CHECK(rope_attention_factor(scaling) == Approx(std::sqrt(1.0 + std::log(32.0) / std::log(4096.0))));
  scaling.mscale = 0.5;
  scaling.mscale_all_dim = 0.8;
  CHECK(rope_attention_factor(scaling) == Approx(std::sqrt(17.0 / 12.0)));  // 2^5 and 2^12.
  scaling.factor = 1.0;
  CHECK(rope_attention_factor(scaling) == 1.0);
  scaling.factor = 0.5;
  CHECK(rope_attention_factor(scaling) == 1.0);
  scaling.attention_factor = 1.25;
  CHECK(rope_attention_factor(scaling) == 1.25);
}

TEST_CASE("The other types have no attention factor") {
  for (const RopeType type : {RopeType::standard, RopeType::linear, RopeType::dynamic, RopeType::llama3}) {
    RopeScaling scaling = of_type(type, 40.0);
    scaling.attention_factor = 0.25;
    scaling.mscale = 0.5;
    scaling.mscale_all_dim = 0.8;
    INFO(name_of(type));
    CHECK(rope_attention_factor(scaling) == 1.0);
  }
}

TEST_CASE("Every type but default multiplies the softmax scale by the square of m(mscale_all_dim)") {
  for (const RopeType type : kTypes) {
    RopeScaling scaling = of_type(type, 40.0);
    scaling.mscale = 3.0;  // Does not enter, nor does the attention factor.
    scaling.attention_factor = 7.0;
    INFO(name_of(type));
    CHECK(rope_softmax_factor(scaling) == 1.0);
    scaling.mscale_all_dim = 0.8;
    const double expected = type == RopeType::standard ? 1.0 : m(40.0, 0.8) * m(40.0, 0.8);
    CHECK(rope_softmax_factor(scaling) == Approx(expected).epsilon(1e-12));
    scaling.factor = 0.5;
    CHECK(rope_softmax_factor(scaling) == 1.0);
  }
}
