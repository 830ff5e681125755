// Flash attention against the softmax in double of the same rounded keys, values and queries.
#include "nn/flash_attention.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "positional/registry.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::Random;

namespace {

double rounded(float value) {
  return static_cast<double>(bf16_to_float(float_to_bf16(value)));
}

struct Setting {
  std::size_t heads = 2;
  std::size_t group = 3;
  std::size_t key_cols = 24;
  std::size_t value_cols = 20;
  std::optional<std::size_t> window = std::nullopt;
  bool alibi = false;
};

constexpr std::size_t kFirstPosition = 1000;  // Of a text with a bias.

std::unique_ptr<PositionalEncoding> alibi(std::size_t heads) {
  EncodingSettings settings;
  settings.num_heads = heads;
  return encoding_named("alibi").make(settings);
}

/// Results and what rounding the probabilities may make of them.
struct Expected {
  std::vector<double> values;
  std::vector<double> bounds;

  /// The largest error as a share of its bound.
  double worst(const std::vector<float>& found) const {
    if (found.size() != values.size()) return std::numeric_limits<double>::infinity();
    double worst = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double error = std::abs(static_cast<double>(found[i]) - values[i]) / bounds[i];
      worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
    }
    return worst;
  }
};

/// Keys, values and queries of a whole text. Each query's second part stands by itself, as MLA's rotary one.
class Text {
 public:
  Text(Random& random, const Setting& setting, std::size_t tokens)
      : setting_(setting),
        tokens_(tokens),
        keys_(random.values(tokens * setting.heads * setting.key_cols)),
        values_(random.values(tokens * setting.heads * setting.value_cols)),
        content_(random.values(tokens * query_heads() * content_cols(), 2.0F)),
        rotary_(random.values(tokens * query_heads() * kRotary, 2.0F)),
        cache_({{.first = round_up(content_cols(), kColumnStep) + kColumnStep,
                 .second = setting.value_cols,
                 .element = CacheElement::bf16,
                 .heads = setting.heads}},
               tokens),
        alibi_(alibi(query_heads())) {}

  std::size_t out_width() const { return query_heads() * setting_.value_cols; }

  /// Rows [first, first + count), in pieces, behind those before them.
  std::vector<float> run(std::size_t first, const std::vector<std::size_t>& pieces, Workspace& workspace) {
    std::vector<float> out;
    for (const std::size_t count : pieces) {
      append(first + count, workspace);
      const std::vector<float> piece = attend(first, count, workspace);
      out.insert(out.end(), piece.begin(), piece.end());
      first += count;
    }
    return out;
  }

  /// What rows [first, first + count) should be.
  Expected expected(std::size_t first, std::size_t count) const;

 private:
  static constexpr std::size_t kRotary = 5;
  std::size_t query_heads() const { return setting_.heads * setting_.group; }
  std::size_t content_cols() const { return setting_.key_cols - kRotary; }

  void append(std::size_t end, const Workspace& workspace) {
    cache_.reserve(end);
    const LayerCache cache = cache_.layer(0, end);
    for (; cached_ < end; ++cached_)
      for (std::size_t head = 0; head < setting_.heads; ++head) {
        const std::size_t row = cached_ * setting_.heads + head;
        const std::span<const float> key(keys_.data() + row * setting_.key_cols, setting_.key_cols);
        std::byte* to = cache.first_bf16.row(head, cached_);
        write_bf16_row(key.first(content_cols()), to, workspace.packed);
        write_bf16_row(key.last(kRotary), to + 2 * round_up(content_cols(), kColumnStep), workspace.packed);
        write_bf16_row({values_.data() + row * setting_.value_cols, setting_.value_cols},
                       cache.second_bf16.row(head, cached_), workspace.packed);
      }
  }

  std::vector<float> attend(std::size_t first, std::size_t count, Workspace& workspace) {
    std::vector<float> out(count * out_width(), -5.0F);
    const LayerCache cache = cache_.layer(0, first + count);
    const std::size_t width = query_heads();
    flash_attention(
        {.heads = setting_.heads,
         .tokens = count,
         .rows = {.first = first, .group = setting_.group, .window = setting_.window},
         .queries = {HeadRows<const float>{content_.data() + first * width * content_cols(),
                                           width * content_cols(), content_cols(), content_cols()},
                     HeadRows<const float>{rotary_.data() + first * width * kRotary, width * kRotary, kRotary,
                                           kRotary}},
         .scale = kScale,
         .keys = cache.first_bf16,
         .values = cache.second_bf16,
         .out = {out.data(), out_width(), setting_.value_cols, setting_.value_cols},
         .bias = {.encoding = setting_.alibi ? alibi_.get() : nullptr,
                  .first_query = kFirstPosition + first,
                  .first_key = kFirstPosition}},
        workspace);
    return out;
  }

  static constexpr float kScale = 0.3F;
  Setting setting_;
  std::size_t tokens_;
  std::vector<float> keys_, values_, content_, rotary_;
  KvCache cache_;
  std::unique_ptr<PositionalEncoding> alibi_;
  std::size_t cached_ = 0;
};

Expected Text::expected(std::size_t first, std::size_t count) const {
  // Of each probability, relative: its rounding, its polynomial, and float32's in a score of at most 24 * 4 / 3.
  constexpr double kEach = 0x1p-8 + 9e-5 + 1e-5;
  const float factor = kScale * std::numbers::log2e_v<float>;
  Expected result;
  for (std::size_t token = first; token < first + count; ++token)
    for (std::size_t head = 0; head < query_heads(); ++head) {
      const std::size_t shared = head / setting_.group;
      std::vector<double> query;
      const std::size_t row = token * query_heads() + head;
      for (std::size_t i = 0; i < setting_.key_cols; ++i)
        query.push_back(rounded(factor * (i < content_cols() ? content_[row * content_cols() + i]
                                                             : rotary_[row * kRotary + i - content_cols()])));
      std::vector<double> weights(token + 1, 0.0);
      for (std::size_t key = 0; key <= token; ++key) {
        if (setting_.window && token - key >= *setting_.window) continue;
        const float* k = keys_.data() + (key * setting_.heads + shared) * setting_.key_cols;
        double score = 0.0;
        for (std::size_t i = 0; i < setting_.key_cols; ++i) score += query[i] * rounded(k[i]);
        if (setting_.alibi)
          score +=
              static_cast<double>(alibi_->values(token - key, query_heads())[head]) * std::numbers::log2e;
        weights[key] = std::exp2(score);
      }
      const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
      for (std::size_t col = 0; col < setting_.value_cols; ++col) {
        const auto value = [&](std::size_t key) {
          return rounded(values_[(key * setting_.heads + shared) * setting_.value_cols + col]);
        };
        double mean = 0.0;
        double spread = 0.0;
        for (std::size_t key = 0; key <= token; ++key) mean += weights[key] / sum * value(key);
        for (std::size_t key = 0; key <= token; ++key)
          spread += weights[key] / sum * std::abs(value(key) - mean);
        result.values.push_back(mean);
        result.bounds.push_back(kEach / (1.0 - kEach) * spread + 2e-6);
      }
    }
  return result;
}

}  // namespace

TEST_CASE("flash attention: within what rounding probabilities may change, on every instruction set") {
  Random random(50);
  for (const std::size_t group : {1U, 3U, 4U, 8U, 20U})
    for (const std::size_t tokens : {1U, 17U, 255U, 256U, 257U}) {
      if (group > 3 && tokens > 17 && tokens < 257) continue;
      Text text(random, {.heads = group > 3 ? 1U : 2U, .group = group}, tokens);
      const Expected expected = text.expected(0, tokens);
      for (const Isa isa : available_isas()) {
        CAPTURE(name_of(isa), group, tokens);
        Workspace workspace(2, kernels_for(isa), packed_kernels(isa));
        CHECK(expected.worst(text.run(0, {tokens}, workspace)) <= 1.0);
      }
    }
}

TEST_CASE("flash attention: windows, also where they begin in another block than they end in") {
  Random random(51);
  for (const std::size_t window : {1U, 2U, 100U, 256U, 300U}) {
    Text text(random, {.heads = 1, .group = 2, .window = window}, 600);
    const Expected expected = text.expected(0, 600);
    for (const Isa isa : available_isas()) {
      CAPTURE(name_of(isa), window);
      Workspace workspace(2, kernels_for(isa), packed_kernels(isa));
      CHECK(expected.worst(text.run(0, {600}, workspace)) <= 1.0);
    }
  }
}

TEST_CASE("flash attention: a bias on scores, in groups and windows, on every instruction set") {
  Random random(54);
  for (const std::optional<std::size_t> window : {std::optional<std::size_t>{}, {100}, {256}})
    for (const std::size_t group : {1U, 3U, 20U}) {
      const std::size_t tokens = group == 20 ? 40 : 300;
      Text text(random, {.heads = 2, .group = group, .window = window, .alibi = true}, tokens);
      const Expected expected = text.expected(0, tokens);
      for (const Isa isa : available_isas()) {
        CAPTURE(name_of(isa), group, window.has_value());
        Workspace workspace(2, kernels_for(isa), packed_kernels(isa));
        CHECK(expected.worst(text.run(0, {tokens}, workspace)) <= 1.0);
      }
    }
}

TEST_CASE("flash attention: the same bits however a text is cut and on any number of threads", "[threads]") {
  Random random(52);
  for (const Isa isa : available_isas())
    for (const auto& [window, biased] :
         {std::pair(std::optional<std::size_t>{}, false), std::pair(std::optional<std::size_t>{290}, false),
          std::pair(std::optional<std::size_t>{290}, true)}) {
      CAPTURE(name_of(isa), window.has_value(), biased);
      const Setting setting{.heads = 2, .group = 2, .window = window, .alibi = biased};
      Workspace one(1, kernels_for(isa), packed_kernels(isa));
      Text text(random, setting, 780);
      const std::vector<float> expected = text.run(0, {780}, one);
      for (const int threads : {2, 5}) {
        Workspace workspace(threads, kernels_for(isa), packed_kernels(isa));
        CAPTURE(threads);
        for (const std::vector<std::size_t>& pieces :
             {std::vector<std::size_t>{780}, {255, 1, 1, 255, 1, 1, 266}, {300, 7, 200, 33, 240}}) {
          CAPTURE(pieces);
          CHECK((text.run(0, pieces, workspace) == expected));
        }
        const std::vector<float> steps = text.run(500, std::vector<std::size_t>(20, 1), workspace);
        CHECK(std::equal(steps.begin(), steps.end(),
                         expected.begin() + static_cast<std::ptrdiff_t>(500 * text.out_width())));
      }
    }
}

TEST_CASE("flash attention: more blocks than are merged at once", "[threads]") {
  Random random(53);
  const std::size_t depth = 5 * kKeyBlock + 3;
  for (const std::optional<std::size_t> window : {std::optional<std::size_t>{}, {700}}) {
    Text text(random, {.heads = 19, .group = 1, .key_cols = 8, .value_cols = 70, .window = window},
              depth + 1);
    Workspace one(1, best_kernels());
    Workspace eight(8, best_kernels());  // 19 units are few for them: three blocks of each at once.
    const std::vector<float> expected = text.run(depth, {1}, one);
    CHECK(text.expected(depth, 1).worst(expected) <= 1.0);
    CHECK((text.run(depth, {1}, eight) == expected));
  }
}
