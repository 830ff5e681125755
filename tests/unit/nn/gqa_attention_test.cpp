// Grouped-query attention against a plain double loop.
#include "nn/gqa_attention.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "positional/registry.h"
#include "unit/base/thrown.h"
#include "unit/nn/attention_run.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::largest_difference;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::Rows;
using nn_test::Weight;

namespace {

constexpr double kTolerance = 2e-5;  // Results are of the order of one.
constexpr std::size_t kHidden = 22;
constexpr std::size_t kHeadDim = 10;
constexpr std::size_t kMostTokens = 203;

struct Setting {
  std::size_t heads = 6;
  std::size_t shared = 2;  ///< Key-value heads.
  std::optional<std::size_t> window = std::nullopt;
  std::size_t rotary_dim = kHeadDim;
  bool norms = false;
  const char* encoding = "rope";
  AttentionMask mask = AttentionMask::causal;
  std::size_t offset = 0;

  GqaShape shape() const {
    return {.num_heads = heads,
            .num_key_value_heads = shared,
            .head_dim = kHeadDim,
            .softmax_scale = 0.4F,
            .window = window};
  }
  std::unique_ptr<PositionalEncoding> position() const {
    EncodingSettings settings;
    settings.num_heads = heads;
    settings.rotary_dim = rotary_dim;
    settings.pairing = RopePairing::halves;
    return encoding_named(encoding).make(settings);
  }
  bool sees(std::size_t query, std::size_t key) const {
    const std::size_t distance = query > key ? query - key : key - query;
    if (window && distance >= *window) return false;
    return mask == AttentionMask::bidirectional || key <= query;
  }
};

double slope(std::size_t head, std::size_t heads) {
  const double power = std::exp2(std::floor(std::log2(static_cast<double>(heads))));
  const double h = static_cast<double>(head);
  return h < power ? std::exp2(-8.0 * (h + 1.0) / power)
                   : std::exp2(-4.0 * (2.0 * (h - power) + 1.0) / power);
}

/// An attention block and its weights.
struct Block {
  Setting setting;
  Weight q, k, v, o;
  std::vector<float> q_bias, k_bias, v_bias, o_bias, q_norm, k_norm;

  Block(Random& random, DType dtype, const Setting& chosen)
      : setting(chosen),
        q(random_weight(random, dtype, chosen.heads * kHeadDim, kHidden, 0.5F)),
        k(random_weight(random, dtype, chosen.shared * kHeadDim, kHidden, 0.5F)),
        v(random_weight(random, dtype, chosen.shared * kHeadDim, kHidden, 0.5F)),
        o(random_weight(random, dtype, kHidden, chosen.heads * kHeadDim, 0.3F)),
        q_bias(random.values(chosen.heads * kHeadDim)),
        k_bias(random.values(chosen.shared * kHeadDim)),
        v_bias(random.values(chosen.shared * kHeadDim)),
        o_bias(random.values(kHidden)),
        q_norm(random.values(kHeadDim)),
        k_norm(random.values(kHeadDim)) {}

  GqaAttention part() const {
    GqaWeights weights{Linear(q.view, q_bias),
                       Linear(k.view, k_bias),
                       Linear(v.view, v_bias),
                       Linear(o.view, o_bias),
                       {},
                       {}};
    if (setting.norms) {
      weights.q_norm = Norm(q_norm, 1e-3F);
      weights.k_norm = Norm(k_norm, 1e-3F);
    }
    return GqaAttention(setting.shape(), std::move(weights));
  }

  std::vector<double> compute(const Rows& x) const;

 private:
  /// One head of queries or keys at a position: norm, then rotation of the first rotary_dim values.
  std::vector<double> prepared(std::span<const double> values, const std::vector<float>& norm,
                               std::size_t position) const {
    std::vector<double> head(values.begin(), values.end());
    if (setting.norms) head = nn_test::rms_norm(head, norm, 1e-3);
    if (std::string_view(setting.encoding) != "rope") return head;
    const std::size_t half = setting.rotary_dim / 2;
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(position + setting.offset) *
                           std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(half));
      const double a = head[i];
      const double b = head[i + half];
      head[i] = a * std::cos(angle) - b * std::sin(angle);
      head[i + half] = b * std::cos(angle) + a * std::sin(angle);
    }
    return head;
  }
};

std::span<const double> head_of(const std::vector<double>& values, std::size_t head) {
  return std::span(values).subspan(head * kHeadDim, kHeadDim);
}

/// All rows of x as positions 0, 1, ...
std::vector<double> Block::compute(const Rows& x) const {
  std::vector<std::vector<double>> queries, keys, values;
  for (std::size_t t = 0; t < x.rows(); ++t) {
    queries.push_back(affine(q, x.row(t), q_bias));
    keys.push_back(affine(k, x.row(t), k_bias));
    values.push_back(affine(v, x.row(t), v_bias));
  }
  std::vector<double> result;
  for (std::size_t t = 0; t < x.rows(); ++t) {
    std::vector<double> heads(setting.heads * kHeadDim, 0.0);
    for (std::size_t head = 0; head < setting.heads; ++head) {
      const std::size_t shared = head / (setting.heads / setting.shared);
      const std::vector<double> query = prepared(head_of(queries[t], head), q_norm, t);
      double sum = 0.0;
      for (std::size_t key = 0; key < x.rows(); ++key) {
        if (!setting.sees(t, key)) continue;
        const std::vector<double> content = prepared(head_of(keys[key], shared), k_norm, key);
        double score = static_cast<double>(setting.shape().softmax_scale) *
                       std::inner_product(query.begin(), query.end(), content.begin(), 0.0);
        if (std::string_view(setting.encoding) == "alibi")
          score -= slope(head, setting.heads) * std::abs(static_cast<double>(t) - static_cast<double>(key));
        sum += std::exp(score);
        for (std::size_t i = 0; i < kHeadDim; ++i)
          heads[head * kHeadDim + i] += std::exp(score) * head_of(values[key], shared)[i];
      }
      for (std::size_t i = 0; i < kHeadDim; ++i) heads[head * kHeadDim + i] /= sum;
    }
    const std::vector<double> out = affine(o, heads, o_bias);
    result.insert(result.end(), out.begin(), out.end());
  }
  return result;
}

struct RunOptions {
  AttentionPath path = AttentionPath::automatic;
  ForwardObserver* observer = nullptr;
};

/// The rows of x in pieces of the given numbers, each behind what is cached of the former ones.
std::vector<float> run(const Block& block, const Rows& x, const std::vector<std::size_t>& pieces,
                       Workspace& workspace, const RunOptions& chosen = {}) {
  return nn_test::run_in_pieces(
      block.part(), *block.setting.position(), x, pieces,
      {.path = chosen.path, .mask = block.setting.mask, .observer = chosen.observer}, workspace,
      block.setting.offset);
}

void check(const Block& block, const Rows& x, const std::vector<std::vector<std::size_t>>& plans,
           Workspace& workspace) {
  const std::vector<double> expected = block.compute(x);
  for (const std::vector<std::size_t>& pieces : plans) {
    CAPTURE(pieces);
    const std::vector<float> found = run(block, x, pieces, workspace);
    CHECK(largest_difference(found, std::span(expected).first(found.size())) < kTolerance);
  }
}

const std::vector<std::vector<std::size_t>> kPlans = {{1},
                                                      {3},
                                                      {4},
                                                      {64},
                                                      {65},
                                                      {203},
                                                      {63, 1, 1, 64, 2},
                                                      {65, 63, 3, 4, 5, 60},
                                                      {1, 128, 64},
                                                      std::vector<std::size_t>(40, 1)};

}  // namespace

TEST_CASE("gqa: every ratio of heads against double") {
  Random random(31);
  Workspace workspace(1, best_kernels());
  const Rows x(random, kMostTokens, kHidden, 2);
  for (const std::size_t shared : {1U, 2U, 3U, 6U}) {
    CAPTURE(shared);
    const Block block(random, DType::f32, {.shared = shared});
    CHECK(block.part().cache_widths().first == shared * kHeadDim);
    CHECK(block.part().cache_widths().second == shared * kHeadDim);
    CHECK(block.part().cache_widths().third == 0);
    check(block, x, kPlans, workspace);
  }
}

TEST_CASE("gqa: sliding windows from one row to more than there are") {
  Random random(32);
  Workspace workspace(1, best_kernels());
  const Rows x(random, kMostTokens, kHidden);
  for (const std::size_t window : {1U, 2U, 5U, 63U, 64U, 65U, 130U, 202U, 203U, 1000U}) {
    CAPTURE(window);
    check(Block(random, DType::f32, {.window = window}), x, kPlans, workspace);
  }
}

TEST_CASE("gqa: norms over heads, partial rotation, other encodings") {
  Random random(33);
  Workspace workspace(1, best_kernels());
  const Rows x(random, kMostTokens, kHidden);
  const Setting settings[] = {{.norms = true},
                              {.rotary_dim = 6},
                              {.rotary_dim = 4, .norms = true, .offset = 17},
                              {.encoding = "none"},
                              {.encoding = "alibi"},
                              {.window = 9, .encoding = "alibi"},
                              {.heads = 3, .shared = 1, .encoding = "alibi", .offset = 5}};
  for (const Setting& setting : settings) {
    CAPTURE(setting.encoding, setting.rotary_dim, setting.norms);
    check(Block(random, DType::f32, setting), x, kPlans, workspace);
  }
}

TEST_CASE("gqa: without the causal mask, with and without a window") {
  Random random(34);
  Workspace workspace(1, best_kernels());
  for (const std::optional<std::size_t> window : {std::optional<std::size_t>{}, {1}, {7}, {70}, {500}})
    for (const char* encoding : {"rope", "alibi"})
      for (const std::size_t rows : {1U, 3U, 5U, 64U, 131U}) {
        CAPTURE(window.value_or(0), encoding, rows);
        const Rows x(random, rows, kHidden);
        const Setting setting{.window = window, .encoding = encoding, .mask = AttentionMask::bidirectional};
        check(Block(random, DType::f32, setting), x, {{rows}}, workspace);
      }
}

TEST_CASE("gqa: weights of every type, on all kernels") {
  Random random(35);
  const Rows x(random, 73, kHidden);
  for (const DType dtype : nn_test::kAllTypes)
    for (const Kernels* kernels : available_kernels()) {
      CAPTURE(dtype_name(dtype), kernels->name);
      Workspace workspace(1, *kernels);
      check(Block(random, dtype, {.window = 40, .norms = true}), x, {{73}, {66, 1, 2, 4}}, workspace);
    }
}

TEST_CASE("gqa: a row takes nothing from what its mask hides, to the last bit") {
  Random random(36);
  Workspace workspace(1, best_kernels());
  for (const std::size_t window : {1U, 6U, 1000U}) {
    const Block block(random, DType::f32, {.window = window});
    const Rows x(random, 130, kHidden);
    constexpr std::size_t kChanged = 50;
    Rows other = x;
    for (std::size_t col = 0; col < kHidden; ++col) other.at(kChanged, col) = random.value();
    for (const std::vector<std::size_t>& pieces :
         {std::vector<std::size_t>{130}, std::vector<std::size_t>{3, 60, 67},
          std::vector<std::size_t>(130, 1)}) {
      const std::vector<float> before = run(block, x, pieces, workspace);
      const std::vector<float> after = run(block, other, pieces, workspace);
      for (std::size_t row = 0; row < 130; ++row) {
        CAPTURE(window, pieces.size(), row);
        const auto first = static_cast<std::ptrdiff_t>(row * kHidden);
        const bool same =
            std::equal(before.begin() + first, before.begin() + first + kHidden, after.begin() + first);
        CHECK(same == !block.setting.sees(row, kChanged));
      }
    }
  }
}

TEST_CASE("gqa: scores far beyond what exp can take") {
  Random random(37);
  Workspace workspace(1, best_kernels());
  const Block block(random, DType::f32, {.window = 30});
  Rows x(random, 70, kHidden);
  for (std::size_t col = 0; col < kHidden; ++col) x.at(40, col) *= 1e4F;
  const std::vector<float> found = run(block, x, {66, 4}, workspace);
  CHECK(std::all_of(found.begin(), found.end(), [](float value) { return std::isfinite(value); }));
}

TEST_CASE("gqa: any number of threads gives the same bits", "[threads]") {
  Random random(38);
  for (const std::optional<std::size_t> window : {std::optional<std::size_t>{}, {20}}) {
    const Block block(random, DType::bf16, {.window = window, .norms = true});
    const Rows x(random, 160, kHidden);
    Workspace one(1, best_kernels());
    const std::vector<float> alone = run(block, x, {140, 1, 3, 16}, one);
    for (const int threads : {2, 3, 8}) {
      CAPTURE(threads);
      Workspace workspace(threads, best_kernels());
      CHECK(run(block, x, {140, 1, 3, 16}, workspace) == alone);
    }
  }
}

TEST_CASE("gqa: the absorbed path is refused, the decompressed one is what runs") {
  Random random(39);
  Workspace workspace(1, best_kernels());
  const Block block(random, DType::f32, {});
  const Rows x(random, 9, kHidden);
  CHECK(run(block, x, {9}, workspace, {.path = AttentionPath::decompressed}) ==
        run(block, x, {9}, workspace));
  const Error error = thrown_by([&] { run(block, x, {9}, workspace, {.path = AttentionPath::absorbed}); });
  CHECK(error.code() == ErrorCode::unsupported);
}

namespace {

/// Checks what a view shows against itself: the probabilities are the softmax of the scores that it describes.
class Checker final : public ForwardObserver {
 public:
  explicit Checker(const Setting& setting) : setting_(setting), rows_(setting.heads, 0) {}

  void head(const HeadView& view) override {
    CHECK(view.window == setting_.window);
    CHECK(view.k_rotary.cols == 0);
    CHECK(view.k_rotary.rows == view.k_content.rows);
    CHECK(view.first_key == setting_.offset);
    CHECK(view.first_row == rows_[view.head]);
    REQUIRE(view.probabilities.cols == view.k_content.rows);
    rows_[view.head] += view.q.rows;
    double worst = 0.0;
    for (std::size_t row = 0; row < view.q.rows; ++row) {
      double sum = 0.0;
      std::vector<double> weights(view.k_content.rows, 0.0);
      for (std::size_t key = 0; key < weights.size(); ++key)
        if (setting_.sees(view.first_row + row, key))
          sum += weights[key] = std::exp(static_cast<double>(view.scale) *
                                         std::inner_product(view.q.row(row), view.q.row(row) + view.q.cols,
                                                            view.k_content.row(key), 0.0));
      for (std::size_t key = 0; key < weights.size(); ++key)
        worst = std::max(
            worst, std::abs(weights[key] / sum - static_cast<double>(view.probabilities.row(row)[key])));
    }
    CHECK(worst < 1e-5);
  }

  const std::vector<std::size_t>& rows() const { return rows_; }

 private:
  Setting setting_;
  std::vector<std::size_t> rows_;
};

}  // namespace

TEST_CASE("gqa: an observer sees all rows and keys of every head and changes nothing") {
  Random random(40);
  Workspace workspace(1, best_kernels());
  for (const AttentionMask mask : {AttentionMask::causal, AttentionMask::bidirectional})
    for (const std::optional<std::size_t> window : {std::optional<std::size_t>{}, {11}})
      for (const std::size_t rows : {2U, 150U}) {
        const Setting setting{.window = window, .mask = mask, .offset = 3};
        const Block block(random, DType::f32, setting);
        const Rows x(random, rows, kHidden);
        Checker checker(setting);
        const std::vector<float> seen = run(block, x, {rows}, workspace, {.observer = &checker});
        CHECK(checker.rows() == std::vector<std::size_t>(setting.heads, rows));
        CHECK(largest_difference(seen, block.compute(x)) < kTolerance);
      }
}
