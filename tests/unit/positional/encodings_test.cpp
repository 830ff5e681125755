// The exchangeable encodings against their closed forms.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "positional/registry.h"
#include "unit/base/thrown.h"

using namespace mla;

namespace {

constexpr double kRoundoff = 0x1p-24;

/// Of a model with a head of 6 values to rotate and a table of 5 positions.
EncodingSettings settings() {
  EncodingSettings model{.source = "some/folder",
                         .hidden_size = 7,
                         .num_heads = 3,
                         .rotary_dim = 6,
                         .decoupled = true,
                         .rope = {},
                         .pairing = RopePairing::interleaved,
                         .table = PositionTable{.values = {}, .dims = 7}};
  for (int i = 0; i < 5 * 7; ++i) model.table->values.push_back(0.25F * static_cast<float>(i) - 3.0F);
  return model;
}

std::unique_ptr<PositionalEncoding> make(const std::string& name,
                                         const EncodingSettings& model = settings()) {
  return encoding_named(name).make(model);
}

/// An embedding whose rows lie apart, and a guard between them.
struct Rows {
  std::vector<float> values;
  std::size_t count;
  std::size_t cols;

  Rows(std::size_t count_, std::size_t cols_) : values(count_ * (cols_ + 2)), count(count_), cols(cols_) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5F * static_cast<float>(i % 13) - 2.0F;
  }
  Matrix matrix() { return {values.data(), count, cols, cols + 2}; }
};

/// One number for each pair of a query and a key.
struct Scores {
  std::vector<float> values;
  std::size_t queries;
  std::size_t keys;

  Scores(std::size_t query_count, std::size_t key_count)
      : values(query_count * key_count, 0.75F), queries(query_count), keys(key_count) {}
  Matrix matrix() { return {values.data(), queries, keys, keys}; }
};

double sinusoid(std::size_t position, std::size_t i, std::size_t dims) {
  const double pair = static_cast<double>(i / 2);
  const double wavelength = std::exp(std::log(10000.0) * 2.0 * pair / static_cast<double>(dims));
  const double angle = static_cast<double>(position) / wavelength;
  return i % 2 == 0 ? std::sin(angle) : std::cos(angle);
}

}  // namespace

TEST_CASE("The registry has every encoding once, under the names of config files") {
  std::set<std::string> names;
  for (const EncodingEntry* entry : encodings()) {
    CAPTURE(entry->name);
    CHECK(names.emplace(entry->name).second);
    CHECK(find_encoding(entry->name) == entry);
    CHECK(&encoding_named(entry->name) == entry);
    CHECK_FALSE(entry->formula.empty());
    CHECK_FALSE(entry->source.empty());
    CHECK(encoding_names().find(entry->name) != std::string::npos);
    CHECK_FALSE(entry->make(settings())->describe().empty());
  }
  CHECK(names == std::set<std::string>{"none", "integer", "binary", "sinusoidal", "learned", "rope",
                                       "rope-decoupled", "alibi"});
}

TEST_CASE("An unknown encoding is refused by name, with the known ones") {
  for (const char* name : {"", "Rope", "rope ", "rotary"}) {
    CHECK(find_encoding(name) == nullptr);
    const Error error = thrown_by([&] { encoding_named(name); });
    CHECK(error.code() == ErrorCode::unsupported);
    const std::string text = error.what();
    CHECK(text.find('"' + std::string(name) + '"') != std::string::npos);
    CHECK(text.find(encoding_names()) != std::string::npos);
  }
}

TEST_CASE("Each encoding works in one stage: the hooks of the others change nothing") {
  const std::vector<std::pair<std::string, EncodingStage>> stages = {
      {"none", EncodingStage::nowhere},
      {"integer", EncodingStage::embedding},
      {"binary", EncodingStage::embedding},
      {"sinusoidal", EncodingStage::embedding},
      {"learned", EncodingStage::embedding},
      {"rope", EncodingStage::rotation},
      {"rope-decoupled", EncodingStage::rotation},
      {"alibi", EncodingStage::scores}};
  for (const auto& [name, stage] : stages) {
    CAPTURE(name);
    const auto encoding = make(name);
    CHECK(encoding->stage() == stage);
    PositionBatch batch{.first = 1, .count = 3, .sequence_length = 4};
    encoding->prepare(batch);

    Rows x(3, 7), q(3, 12);
    Scores scores(3, 4);
    const Rows x_before = x, q_before = q;
    const Scores scores_before = scores;
    encoding->add_to_embedding(batch, x.matrix());
    encoding->rotate(batch, q.matrix(), 6, 0);
    Rows halves(3, 12);
    encoding->rotate_halves(batch, halves.matrix(), 6, 0);
    CHECK((halves.values != q_before.values) == (stage == EncodingStage::rotation));
    Rows later(2, 12);
    encoding->rotate_from(1, batch, later.matrix(), 6, 0);
    CHECK((later.values != Rows(2, 12).values) == (stage == EncodingStage::rotation));
    encoding->add_score_bias({.head = 1, .first_query = 1, .first_key = 0}, scores.matrix());
    CHECK((x.values != x_before.values) == (stage == EncodingStage::embedding));
    CHECK((q.values != q_before.values) == (stage == EncodingStage::rotation));
    CHECK((scores.values != scores_before.values) == (stage == EncodingStage::scores));
  }
}

TEST_CASE("Only a learned table has an end") {
  for (const EncodingEntry* entry : encodings()) {
    CAPTURE(entry->name);
    const auto encoding = entry->make(settings());
    if (entry->name == "learned") {
      CHECK(encoding->positions() == 5);
      continue;
    }
    CHECK_FALSE(encoding->positions().has_value());
    PositionBatch far{.first = 0, .count = 2, .sequence_length = 2, .offset = 1000000};
    CHECK_NOTHROW(encoding->prepare(far));
    CHECK(encoding->values(1000000, 9).size() == 9);
  }
}

TEST_CASE("No encoding has nothing to say") {
  CHECK(make("none")->values(123, 5) == std::vector<float>(5, 0.0F));
}

TEST_CASE("The integer encoding is the position in every value") {
  const auto encoding = make("integer");
  for (const std::size_t position : {0U, 1U, 77U, 16777216U})
    CHECK(encoding->values(position, 4) == std::vector<float>(4, static_cast<float>(position)));
}

TEST_CASE("The binary encoding is the position's digits, the lowest first") {
  const auto encoding = make("binary");
  CHECK(encoding->values(0, 4) == std::vector<float>{0, 0, 0, 0});
  CHECK(encoding->values(6, 4) == std::vector<float>{0, 1, 1, 0});
  CHECK(encoding->values(13, 4) == std::vector<float>{1, 0, 1, 1});
  CHECK(encoding->values(13, 2) == std::vector<float>{1, 0});
  for (const std::size_t position : {5UL, 1023UL, 1234567UL, 0x8000000000000001UL}) {
    const std::vector<float> digits = encoding->values(position, 70);
    std::size_t read = 0;
    for (std::size_t k = 0; k < 64; ++k) read += static_cast<std::size_t>(digits[k]) << k;
    CHECK(read == position);
    for (std::size_t k = 64; k < 70; ++k) CHECK(digits[k] == 0.0F);
  }
}

TEST_CASE("The sinusoidal encoding is Vaswani's formula") {
  const auto encoding = make("sinusoidal");
  for (const std::size_t dims : {2U, 7U, 64U})
    for (const std::size_t position : {0U, 1U, 5U, 511U, 100000U}) {
      const std::vector<float> values = encoding->values(position, dims);
      for (std::size_t i = 0; i < dims; ++i) {
        CAPTURE(dims, position, i);
        // One rounding to float32 of a value up to 1; the angle, of `position` radians at most, has some
        // roundings in double.
        const double tolerance = kRoundoff + 64.0 * 0x1p-53 * static_cast<double>(position);
        CHECK(std::abs(static_cast<double>(values[i]) - sinusoid(position, i, dims)) <= tolerance);
      }
    }
}

TEST_CASE("A shift turns each pair of sinusoids by an angle that is the same everywhere") {
  const auto encoding = make("sinusoidal");
  const std::vector<float> shift = encoding->values(16, 32);
  for (const std::size_t position : {0U, 3U, 200U}) {
    const std::vector<float> here = encoding->values(position, 32);
    const std::vector<float> there = encoding->values(position + 16, 32);
    for (std::size_t i = 0; i < 32; i += 2) {  // sin(a + b) = sin a cos b + cos a sin b
      const double sum = static_cast<double>(here[i]) * static_cast<double>(shift[i + 1]) +
                         static_cast<double>(here[i + 1]) * static_cast<double>(shift[i]);
      // Five values of at most 1, each rounded once.
      CHECK(std::abs(static_cast<double>(there[i]) - sum) <= 5.0 * kRoundoff);
    }
  }
}

TEST_CASE("What is added to an embedding is the value of each row's own position") {
  for (const char* name : {"integer", "binary", "sinusoidal", "learned"})
    for (const std::size_t offset : {0U, 1U})
      for (const std::size_t first : {0U, 1U}) {
        CAPTURE(name, offset, first);
        const auto encoding = make(name);
        PositionBatch batch{.first = first, .count = 3, .sequence_length = first + 3, .offset = offset};
        encoding->prepare(batch);
        Rows x(3, 7);
        std::vector<float> expected = x.values;
        for (std::size_t row = 0; row < 3; ++row)
          for (std::size_t i = 0; i < 7; ++i)
            expected[row * 9 + i] += encoding->values(offset + first + row, 7)[i];
        encoding->add_to_embedding(batch, x.matrix());
        CHECK(x.values == expected);
      }
}

TEST_CASE("The learned encoding is a row of the table, and ends with it") {
  const EncodingSettings model = settings();
  const auto encoding = make("learned", model);
  for (std::size_t position = 0; position < 5; ++position) {
    const auto row = model.table->values.begin() + static_cast<std::ptrdiff_t>(position * 7);
    CHECK(encoding->values(position, 7) == std::vector<float>(row, row + 7));
    CHECK(encoding->values(position, 3) == std::vector<float>(row, row + 3));
    std::vector<float> longer(row, row + 7);
    longer.resize(9, 0.0F);
    CHECK(encoding->values(position, 9) == longer);
  }
  CHECK(thrown_by([&] { encoding->values(5, 7); }).code() == ErrorCode::limit);

  PositionBatch last{.first = 1, .count = 3, .sequence_length = 4, .offset = 1};
  CHECK_NOTHROW(encoding->prepare(last));
  for (PositionBatch beyond : {PositionBatch{.first = 0, .count = 6, .sequence_length = 6},
                               PositionBatch{.first = 5, .count = 1, .sequence_length = 6},
                               PositionBatch{.first = 1, .count = 3, .sequence_length = 4, .offset = 2}}) {
    const Error error = thrown_by([&] { encoding->prepare(beyond); });
    CHECK(error.code() == ErrorCode::limit);
    CHECK(std::string(error.what()).find("found position 5, expected at most 4") != std::string::npos);
  }
}

TEST_CASE("The learned encoding needs a table") {
  EncodingSettings model = settings();
  model.table.reset();
  const Error error = thrown_by([&] { make("learned", model); });
  CHECK(error.code() == ErrorCode::unsupported);
  CHECK(error.file() == "some/folder");
}

TEST_CASE("ALiBi's slopes are those of the paper, and of its code for other numbers of heads") {
  const std::vector<std::pair<std::size_t, std::vector<double>>> exponents = {
      {1, {8}},
      {2, {4, 8}},
      {3, {4, 8, 2}},
      {4, {2, 4, 6, 8}},
      {6, {2, 4, 6, 8, 1, 3}},
      {8, {1, 2, 3, 4, 5, 6, 7, 8}},
      {12, {1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5}},
      {16, {0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8}}};
  for (const auto& [heads, expected] : exponents) {
    EncodingSettings model = settings();
    model.num_heads = heads;
    const std::vector<float> biases = make("alibi", model)->values(1, heads + 2);
    for (std::size_t head = 0; head < heads; ++head) {
      CAPTURE(heads, head);
      const double slope = std::exp2(-expected[head]);
      CHECK(std::abs(static_cast<double>(biases[head]) + slope) <= kRoundoff * slope);
    }
    CHECK(biases[heads] == 0.0F);
    CHECK(biases[heads + 1] == 0.0F);
  }
}

TEST_CASE("ALiBi's bias is the slope times the distance, on either side") {
  EncodingSettings model = settings();
  model.num_heads = 4;  // Slopes 2^-2, 2^-4, ...: everything below is exact.
  const auto encoding = make("alibi", model);
  for (std::size_t head = 0; head < 4; ++head)
    for (const std::size_t first_query : {0U, 3U, 10U})
      for (const std::size_t first_key : {0U, 2U}) {
        Scores scores(3, 6);
        encoding->add_score_bias({.head = head, .first_query = first_query, .first_key = first_key},
                                 scores.matrix());
        for (std::size_t m = 0; m < 3; ++m)
          for (std::size_t n = 0; n < 6; ++n) {
            CAPTURE(head, first_query, first_key, m, n);
            const int distance = static_cast<int>(first_query + m) - static_cast<int>(first_key + n);
            const double slope = std::exp2(-2.0 * static_cast<double>(head + 1));
            CHECK(static_cast<double>(scores.values[m * 6 + n]) == 0.75 - slope * std::abs(distance));
          }
      }
}

TEST_CASE("ALiBi's distances are rounded once, however large positions are") {
  const auto encoding = make("alibi");
  const float slope = -encoding->values(1, 3)[1];
  for (const std::size_t query : {std::size_t{16777217}, std::size_t{2147483647}, std::size_t{5000000003}})
    for (const std::size_t first : {std::size_t{0}, query - 3, query + 1}) {
      Scores scores(1, 9);
      encoding->add_score_bias({.head = 1, .first_query = query, .first_key = first}, scores.matrix());
      for (std::size_t key = 0; key < 9; ++key) {
        CAPTURE(query, first, key);
        const std::size_t at = first + key;
        const auto distance = static_cast<float>(at > query ? at - query : query - at);
        CHECK(scores.values[key] == 0.75F - slope * distance);
      }
    }
}

TEST_CASE("ALiBi's bias of chosen keys is that of the same keys among all") {
  const auto encoding = make("alibi");
  Scores all(3, 9), some(3, 4);
  const std::vector<std::uint32_t> chosen = {0, 3, 4, 8};
  encoding->add_score_bias({.head = 1, .first_query = 5, .first_key = 2}, all.matrix());
  encoding->add_score_bias({.head = 1, .first_query = 5, .first_key = 2, .chosen = chosen}, some.matrix());
  for (std::size_t m = 0; m < 3; ++m)
    for (std::size_t n = 0; n < 4; ++n) CHECK(some.values[m * 4 + n] == all.values[m * 9 + chosen[n]]);
}

TEST_CASE("A rotation's values are the cosine and the sine of each pair") {
  for (const char* name : {"rope", "rope-decoupled"})
    for (const std::size_t position : {0U, 1U, 100U}) {
      const std::vector<float> values = make(name)->values(position, 8);
      for (std::size_t pair = 0; pair < 3; ++pair) {
        const double angle =
            static_cast<double>(position) * std::pow(10000.0, -static_cast<double>(pair) / 3.0);
        // The angle is a float32 product of a float32 frequency with some roundings of its own.
        const double tolerance = kRoundoff * (1.0 + 16.0 * angle);
        CHECK(std::abs(static_cast<double>(values[2 * pair]) - std::cos(angle)) <= tolerance);
        CHECK(std::abs(static_cast<double>(values[2 * pair + 1]) - std::sin(angle)) <= tolerance);
      }
      CHECK(values[6] == 0.0F);
      CHECK(values[7] == 0.0F);
    }
}

TEST_CASE("A rotation counts from the batch's offset") {
  const auto encoding = make("rope");
  PositionBatch shifted{.first = 3, .count = 4, .sequence_length = 7, .offset = 5};
  PositionBatch plain{.first = 8, .count = 4, .sequence_length = 12};
  encoding->prepare(shifted);
  encoding->prepare(plain);
  CHECK(shifted.cosines == plain.cosines);
  CHECK(shifted.sines == plain.sines);
}

TEST_CASE("A rotation needs pairs, and the decoupled one a part of its own") {
  EncodingSettings model = settings();
  model.rotary_dim = 5;
  CHECK(thrown_by([&] { make("rope", model); }).code() == ErrorCode::unsupported);
  CHECK(thrown_by([&] { make("rope-decoupled", model); }).code() == ErrorCode::unsupported);
  model.rotary_dim = 0;
  CHECK(thrown_by([&] { make("rope", model); }).code() == ErrorCode::unsupported);
  model.rotary_dim = 6;
  model.decoupled = false;
  CHECK_NOTHROW(make("rope", model));
  const Error error = thrown_by([&] { make("rope-decoupled", model); });
  CHECK(error.code() == ErrorCode::unsupported);
  CHECK(error.file() == "some/folder");
}
