#include "lab/evaluation.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "mla/error.h"
#include "unit/lab/small_family.h"

namespace {

using mla::TokenId;
using mla::lab::ProbeTask;
using mla::lab::TrainedResult;
using small_family::Family;
using small_family::letters;
using small_family::lines;

constexpr std::size_t kLength = 16;
const std::string kCopyProbe = lines({R"({"task":"copy","length":1,"prompt":"abc ","continuation":"abc"})"});

std::vector<TrainedResult> evaluate(const Family& family, int threads = 1) {
  return mla::lab::evaluate_family(family.path(), {.threads = threads});
}

/// log softmax over the whole vocabulary after each token, each token given to the session by itself.
class TokenByToken {
 public:
  TokenByToken(const Family& family, const std::string& encoding, std::size_t first_position = 0)
      : member_(mla::lab::load_member(family.path(), encoding)),
        session_(member_.model, {.threads = 1, .first_position = first_position, .extrapolate = true}) {}

  std::vector<TokenId> encode(const std::string& text) const { return member_.tokenizer->encode(text); }
  void restart() { session_.rewind(0); }
  void push(TokenId id) { logits_ = session_.evaluate(std::vector<TokenId>{id}); }
  void push(std::span<const TokenId> ids) {
    for (const TokenId id : ids) push(id);
  }

  double log_probability(TokenId id) const {
    double sum = 0.0;
    for (const float logit : logits_) sum += std::exp(static_cast<double>(logit));
    return static_cast<double>(logits_[static_cast<std::size_t>(id)]) - std::log(sum);
  }
  TokenId likeliest() const {
    return static_cast<TokenId>(std::max_element(logits_.begin(), logits_.end()) - logits_.begin());
  }

  /// Sum of log probabilities of `text` after `prompt`.
  double log_likelihood(const std::string& prompt, const std::string& text) {
    restart();
    push(encode(prompt));
    double sum = 0.0;
    const std::vector<TokenId> ids = encode(text);
    for (const TokenId id : std::span(ids).subspan(1)) {
      sum += log_probability(id);
      push(id);
    }
    return sum;
  }

 private:
  mla::lab::FamilyMember member_;
  mla::Session session_;
  std::span<const float> logits_;
};

/// Losses by position of all windows of the documents.
std::map<std::size_t, std::vector<double>> losses(TokenByToken& model,
                                                  const std::vector<std::string>& documents,
                                                  std::size_t tokens, std::size_t window) {
  std::map<std::size_t, std::vector<double>> found;
  for (const std::string& document : documents) {
    const std::vector<TokenId> ids = model.encode(document);
    for (std::size_t begin = 0; begin < tokens; begin += window) {
      model.restart();
      for (std::size_t i = 0; i < window; ++i) {
        if (i > 0) found[i].push_back(-model.log_probability(ids[begin + i]));
        model.push(ids[begin + i]);
      }
    }
  }
  return found;
}

double perplexity(const std::map<std::size_t, std::vector<double>>& losses, std::size_t first = 0,
                  std::size_t last = 1U << 20U) {
  double sum = 0.0, count = 0.0;
  for (const auto& [position, values] : losses)
    if (position >= first && position <= last)
      for (const double value : values) {
        sum += value;
        count += 1.0;
      }
  return std::exp(sum / count);
}

std::string choice_probe(const std::string& task, const std::string& prompt, const std::string& first,
                         const std::string& second, int answer) {
  return mla::Json{{"task", task},
                   {"length", 2},
                   {"prompt", prompt},
                   {"choices", {first, second}},
                   {"answer", answer}}
             .dump() +
         "\n";
}

}  // namespace

TEST_CASE("perplexity by length, position and shift equals a computation token by token",
          "[lab][evaluation]") {
  const std::string encoding = GENERATE("none", "sinusoidal", "rope-decoupled", "alibi");
  const Family family;
  family.add(encoding, kLength);
  const std::vector<std::string> documents = {letters(70, 1), letters(63, 2), letters(90, 3)};
  family.evaluation(lines(documents), kCopyProbe);
  const std::vector<TrainedResult> results = evaluate(family);
  REQUIRE(results.size() == 1);
  CHECK(results[0].encoding == encoding);

  TokenByToken model(family, encoding);
  for (const std::size_t length : mla::lab::kLengths)
    CHECK(results[0].perplexity.at(length).value() ==
          Approx(perplexity(losses(model, documents, 64, length * kLength))).epsilon(1e-5));
  const auto by_position = losses(model, documents, 64, 64);
  REQUIRE(results[0].perplexity_at.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& bucket = results[0].perplexity_at[i];
    CHECK(bucket.first == 32 * i);
    CHECK(bucket.last == 32 * i + 31);
    CHECK(bucket.perplexity.value() ==
          Approx(perplexity(by_position, bucket.first, bucket.last)).epsilon(1e-5));
  }
  REQUIRE(results[0].phase_shift.points.size() == 6);
  for (const std::size_t shift : mla::lab::kShifts) {
    TokenByToken shifted(family, encoding, shift);
    CHECK(results[0].phase_shift.at(shift).value() ==
          Approx(perplexity(losses(shifted, documents, 64, 64))).epsilon(1e-5));
  }
}

TEST_CASE("what lies beyond a learned table is not measured", "[lab][evaluation]") {
  const Family family;
  family.add("learned", 80);
  const std::string probe = R"({"task":"copy","length":4,"prompt":"abc ","continuation":"abc"})";
  family.evaluation(letters(320, 1), kCopyProbe + lines({probe}));
  const TrainedResult result = evaluate(family).at(0);
  CHECK(result.perplexity.at(1).has_value());
  CHECK_FALSE(result.perplexity.at(2).has_value());
  CHECK_FALSE(result.perplexity.at(4).has_value());
  CHECK(result.phase_shift.at(16).has_value());  // 16 + 64 = 80.
  CHECK_FALSE(result.phase_shift.at(32).has_value());
  CHECK(result.of(ProbeTask::copy).at(1).has_value());
  CHECK_FALSE(result.of(ProbeTask::copy).at(4).has_value());
  CHECK_FALSE(result.of(ProbeTask::word_order).at(1).has_value());  // No probes.
  REQUIRE(result.perplexity_at.size() == 10);
  for (const auto& bucket : result.perplexity_at) CHECK_FALSE(bucket.perplexity.has_value());
  REQUIRE(result.counts.size() == 1);
  CHECK(result.counts[0].probes == 1);
}

TEST_CASE("choices are decided by the likelihood of all their tokens", "[lab][evaluation]") {
  const Family family;
  family.add("alibi", kLength);
  TokenByToken model(family, "alibi");
  std::string probes;
  int second = 0;
  for (unsigned i = 0; i < 48; ++i) {
    const std::string prompt = letters(5 + i % 12, 20 + i);
    const std::vector<std::string> choices = {letters(i % 4 == 0 ? 1 : 3, 100 + i), letters(3, 200 + i)};
    const int better =
        model.log_likelihood(prompt, choices[0]) > model.log_likelihood(prompt, choices[1]) ? 0 : 1;
    second += better;
    const bool right = i % 4 != 1;  // Three of four.
    probes += choice_probe("word_order", prompt, choices[0], choices[1], right ? better : 1 - better);
    if (i < 3) probes += choice_probe("coreference", prompt, choices[0], choices[1], better);
  }
  CHECK(second > 5);
  CHECK(second < 43);
  family.evaluation(letters(64, 1), probes);
  const TrainedResult result = evaluate(family).at(0);
  CHECK(result.of(ProbeTask::word_order).at(2).value() == 0.75);
  CHECK(result.of(ProbeTask::coreference).at(2).value() == 1.0);
  CHECK_FALSE(result.of(ProbeTask::word_order).at(1).has_value());
  REQUIRE(result.counts.size() == 2);
  CHECK(result.counts[0].probes == 48);
  CHECK(result.counts[0].standard_error == Approx(std::sqrt(0.75 * 0.25 / 48)));
  CHECK(result.counts[1].standard_error == 0.0);
}

TEST_CASE("a copy is scored with the right tokens before each", "[lab][evaluation]") {
  const Family family;
  family.add("none", kLength);
  TokenByToken model(family, "none");
  std::string probes;
  double expected = 0.0, hits_in_all = 0.0;
  for (unsigned i = 0; i < 4; ++i) {
    const std::string prompt = letters(20, 70 + i);
    model.push(model.encode(prompt));
    std::string text;
    double hits = 0.0;
    for (std::size_t token = 0; token < 8; ++token) {  // The likeliest letter, but for one.
      char best = 'a';
      for (char c = 'a'; c <= 'z'; ++c)
        if (model.log_probability(c - 'a' + 1) > model.log_probability(best - 'a' + 1)) best = c;
      if (token == i) best = best == 'b' ? 'c' : 'b';
      if (best == 'u') best = 'v';
      text += best;
      hits += model.likeliest() == best - 'a' + 1 ? 1.0 : 0.0;
      model.push(best - 'a' + 1);
    }
    model.restart();
    hits_in_all += hits;
    expected += hits / 8.0 / 4.0;
    probes +=
        mla::Json{{"task", "copy"}, {"length", 2}, {"prompt", prompt}, {"continuation", text}}.dump() + "\n";
  }
  CHECK(hits_in_all > 0.0);
  CHECK(hits_in_all < 32.0);
  family.evaluation(letters(64, 1), probes);
  CHECK(evaluate(family).at(0).of(ProbeTask::copy).at(2).value() == Approx(expected));
}

TEST_CASE("an evaluation does not depend on the number of threads", "[lab][evaluation][threads]") {
  const Family family;
  family.add("alibi", kLength);
  family.add("none", kLength);
  family.evaluation(lines({letters(64, 1), letters(64, 2)}), kCopyProbe + kCopyProbe);
  std::size_t calls = 0, last = 0, whole = 0;
  bool in_order = true;
  const auto three =
      mla::lab::evaluate_family(family.path(), {.threads = 3}, [&](std::size_t done, std::size_t total) {
        in_order = in_order && done >= last;
        ++calls;
        last = done;
        whole = total;
      });
  CHECK(in_order);
  CHECK(calls > 10);
  CHECK(last == whole);
  const auto one = evaluate(family, 1);
  REQUIRE(three.size() == 2);
  CHECK(three[0].encoding == "none");  // The order of the story.
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(three[i].perplexity.points == one[i].perplexity.points);
    CHECK(three[i].phase_shift.points == one[i].phase_shift.points);
    CHECK(three[i].of(ProbeTask::copy).points == one[i].of(ProbeTask::copy).points);
  }
}

TEST_CASE("a line of probes.jsonl that is wrong is named with its field", "[lab][evaluation]") {
  const auto [field, line] = GENERATE(table<std::string, std::string>({
      {"", "{"},
      {"", ""},
      {"", "[]"},
      {"task", R"({"length":1,"prompt":"a","continuation":"b"})"},
      {"task", R"({"task":"juggling","length":1,"prompt":"a","continuation":"b"})"},
      {"task", R"({"task":3,"length":1,"prompt":"a","continuation":"b"})"},
      {"length", R"({"task":"copy","prompt":"a","continuation":"b"})"},
      {"length", R"({"task":"copy","length":3,"prompt":"a","continuation":"b"})"},
      {"length", R"({"task":"copy","length":"1","prompt":"a","continuation":"b"})"},
      {"prompt", R"({"task":"copy","length":1,"continuation":"b"})"},
      {"prompt", R"({"task":"copy","length":1,"prompt":"","continuation":"b"})"},
      {"prompt", R"({"task":"copy","length":1,"prompt":"q","continuation":"u"})"},
      {"continuation", R"({"task":"copy","length":1,"prompt":"a"})"},
      {"continuation", R"({"task":"copy","length":1,"prompt":"a","continuation":""})"},
      {"choices", R"({"task":"copy","length":1,"prompt":"a","continuation":"b","choices":["a","b"]})"},
      {"choices", R"({"task":"word_order","length":1,"prompt":"a","answer":0})"},
      {"choices", R"({"task":"word_order","length":1,"prompt":"a","choices":["b","c","d"],"answer":0})"},
      {"choices", R"({"task":"word_order","length":1,"prompt":"a","choices":["b","b"],"answer":0})"},
      {"choices[1]", R"({"task":"word_order","length":1,"prompt":"a","choices":["b",2],"answer":0})"},
      {"answer", R"({"task":"coreference","length":1,"prompt":"a","choices":["b","c"],"answer":2})"},
      {"answer", R"({"task":"coreference","length":1,"prompt":"a","choices":["b","c"]})"},
      {"length", R"({"task":"copy","length":1,"prompt":"abcdefghi abcdefghi","continuation":"b"})"},
  }));
  const Family family;
  family.add("none", kLength);
  family.evaluation(letters(64, 1), kCopyProbe + lines({line}) + kCopyProbe);
  CAPTURE(line);
  const mla::Error error = thrown_by([&] { evaluate(family); });
  CHECK(error.file() == (family.path() / "evaluation" / "probes.jsonl").string() + ":2");
  CHECK(error.field() == field);
}

TEST_CASE("a document too short is named by its line", "[lab][evaluation]") {
  const Family family;
  family.add("none", kLength);
  family.evaluation(lines({letters(63, 1), letters(62, 2)}), kCopyProbe);  // The BOS is a token.
  const mla::Error error = thrown_by([&] { evaluate(family); });
  CHECK(error.file() == (family.path() / "evaluation" / "documents.txt").string() + ":2");
  CHECK(format_files::contains(error.what(), "found 63 tokens, expected at least 64"));
}

TEST_CASE("a family that is not whole is refused", "[lab][family]") {
  const Family family;
  CHECK(thrown_by([&] { evaluate(family); }).code() == mla::ErrorCode::io);
  family.add("alibi", kLength);
  family.add("none", kLength);
  CHECK(mla::lab::family_encodings(family.path()) == std::vector<std::string>{"none", "alibi"});
  const mla::Error missing = thrown_by([&] { mla::lab::load_member(family.path(), "binary"); });
  CHECK(missing.file() == (family.path() / "binary").string());
  CHECK(format_files::contains(missing.what(), "none, alibi"));
  const mla::Error files = thrown_by([&] { evaluate(family); });
  CHECK(files.code() == mla::ErrorCode::io);
  CHECK(files.file() == (family.path() / "evaluation" / "documents.txt").string());

  family.add("binary", "integer", kLength);
  const mla::Error other = thrown_by([&] { mla::lab::load_family(family.path()); });
  CHECK(other.code() == mla::ErrorCode::mismatch);
  CHECK(other.file() == (family.path() / "binary" / "config.json").string());
  CHECK(other.field() == "position_encoding");
  family.add("binary", 2 * kLength);
  CHECK(thrown_by([&] { mla::lab::load_family(family.path()); }).field() == "max_position_embeddings");
}

TEST_CASE("a member trained on too short a text is refused", "[lab][evaluation]") {
  const Family family;
  family.add("none", 15);
  family.evaluation(letters(64, 1), kCopyProbe);
  CHECK(thrown_by([&] { evaluate(family); }).field() == "max_position_embeddings");
}
