// How generation ends, what the callback is told, and sessions that take turns.
#include "mla/generator.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mla/error.h"
#include "mla/session.h"
#include "unit/formats/format_files.h"
#include "unit/model/checkpoint_copy.h"

namespace {

using Ids = std::vector<mla::TokenId>;

const Ids kPrompt = {3, 14, 15, 9, 26, 5};

mla::GenerateOptions greedy(std::size_t tokens) {
  mla::GenerateOptions options;
  options.max_tokens = tokens;
  options.sampler.temperature = 0.0;
  return options;
}

struct Told {
  Ids ids;
  std::vector<std::string> texts;

  mla::TokenCallback callback(std::size_t most = std::numeric_limits<std::size_t>::max()) {
    return [this, most](mla::TokenId id, std::string_view text) {
      ids.push_back(id);
      texts.emplace_back(text);
      return ids.size() < most;
    };
  }
  std::string text() const {
    std::string all;
    for (const std::string& piece : texts) all += piece;
    return all;
  }
};

std::shared_ptr<const mla::Model> golden(const std::string& name) {
  return mla::Model::load(std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + name);
}

std::vector<float> next(mla::Session& session, mla::TokenId id) {
  const std::span<const float> logits = session.evaluate({&id, 1});
  return {logits.begin(), logits.end()};
}

}  // namespace

TEST_CASE("generation: an eos id ends it, unless it is to be ignored", "[generate]") {
  checkpoint_copy::Copy copy("v3_groups");
  Ids expected;
  {
    mla::Session session(golden("v3_groups"), {.threads = 1});
    mla::GenerateOptions options = greedy(8);
    options.ignore_eos = true;
    expected = mla::generate(session, nullptr, kPrompt, options).ids;
  }
  REQUIRE(expected.size() == 8);
  REQUIRE(expected[0] != expected[2]);
  REQUIRE(expected[1] != expected[2]);
  const format_files::Folder folder;
  copy.config["eos_token_id"] = {expected[2], 0};
  copy.write(folder);
  if (GENERATE(false, true)) {  // The file that wins has another.
    folder.write("generation_config.json", "{\"eos_token_id\": " + std::to_string(expected[2]) + "}");
    copy.config["eos_token_id"] = expected[0];
    folder.write("config.json", copy.config.dump());
  }
  const auto model = mla::Model::load(folder.path());

  mla::Session session(model, {.threads = 1});
  Told told;
  const mla::GenerateResult ended = mla::generate(session, nullptr, kPrompt, greedy(8), told.callback());
  CHECK(ended.reason == mla::FinishReason::eos);
  CHECK(ended.ids == Ids(expected.begin(), expected.begin() + 3));
  CHECK(told.ids == Ids(expected.begin(), expected.begin() + 2));
  CHECK(session.position() == kPrompt.size() + 2);

  mla::Session other(model, {.threads = 1});
  mla::GenerateOptions options = greedy(8);
  options.ignore_eos = true;
  const mla::GenerateResult whole = mla::generate(other, nullptr, kPrompt, options);
  CHECK(whole.reason == mla::FinishReason::length);
  CHECK(whole.ids == expected);

  mla::Session last(model, {.threads = 1});  // The eos id as the last token allowed is still an end by eos.
  CHECK(mla::generate(last, nullptr, kPrompt, greedy(3)).reason == mla::FinishReason::eos);
}

TEST_CASE("generation: held back text comes at the end with id -1, but not when cancelled", "[generate]") {
  const auto tokenizer = mla::Tokenizer::load(MLA_MODELS_DIR "/stories");
  const auto model = mla::Model::load(MLA_MODELS_DIR "/stories");
  const Ids prompt = tokenizer->encode("Once upon a time");
  mla::GenerateOptions options = greedy(12);
  options.ignore_eos = true;
  const auto run = [&](const mla::GenerateOptions& chosen, const mla::TokenCallback& callback) {
    mla::Session session(model, {.threads = 1});
    return mla::generate(session, tokenizer, prompt, chosen, callback);
  };
  Told plain;
  const mla::GenerateResult whole = run(options, plain.callback());
  REQUIRE(whole.text.size() > 10);
  CHECK(plain.ids == whole.ids);
  CHECK(plain.text() == whole.text);

  // A stop string that seems to begin at the end of the text and never comes.
  options.stop = {whole.text.substr(whole.text.size() - 6) + "\x01"};
  Told held;
  const mla::GenerateResult result = run(options, held.callback());
  CHECK(result.reason == mla::FinishReason::length);
  CHECK(result.text == whole.text);
  REQUIRE(held.ids.size() == 13);
  CHECK(Ids(held.ids.begin(), held.ids.end() - 1) == whole.ids);
  CHECK(held.ids.back() == -1);
  CHECK(held.texts.back() == whole.text.substr(whole.text.size() - 6));
  CHECK(held.text() == whole.text);

  Told cancelled;
  const mla::GenerateResult broken = run(options, cancelled.callback(12));
  CHECK(broken.reason == mla::FinishReason::cancelled);
  CHECK(cancelled.ids == whole.ids);
  CHECK(broken.text == cancelled.text());

  for (const std::size_t most : {1U, 5U}) {
    Told early;
    const mla::GenerateResult part = run(options, early.callback(most));
    CHECK(part.reason == mla::FinishReason::cancelled);
    CHECK(part.ids == Ids(whole.ids.begin(), whole.ids.begin() + static_cast<std::ptrdiff_t>(most)));
    CHECK(early.ids == part.ids);
  }

  // What the last callback says changes nothing any more.
  Told refused;
  CHECK(run(options, refused.callback(13)).reason == mla::FinishReason::length);
  CHECK(refused.ids.size() == 13);
}

TEST_CASE("generation: options are checked before the session is touched", "[generate]") {
  mla::Session session(golden("v3_groups"), {.threads = 1});
  mla::GenerateOptions options = greedy(2);
  options.sampler.top_p = 2.0;
  CHECK_THROWS_AS(mla::generate(session, nullptr, kPrompt, options), mla::Error);
  options = greedy(2);
  options.stop = {"x"};
  CHECK_THROWS_AS(mla::generate(session, nullptr, kPrompt, options), mla::Error);
  CHECK(session.position() == 0);
}

TEST_CASE("sessions that take turns get what each would get alone", "[session]") {
  for (const char* name : {"v3_groups", "v2_lite_yarn"}) {
    const auto model = golden(name);
    const std::vector<Ids> texts = {{3, 14, 15, 9, 26, 5, 35, 8, 9, 79},
                                    {50, 79, 32, 38, 43, 6, 2, 46, 38, 32}};
    std::vector<std::vector<std::vector<float>>> alone(2), turns(2);
    for (const std::size_t i : {0U, 1U}) {
      mla::Session session(model, {.threads = 1});
      for (const mla::TokenId id : texts[i]) alone[i].push_back(next(session, id));
    }
    mla::Session a(model, {.threads = 1}), b(model, {.threads = 1});
    for (std::size_t step = 0; step < texts[0].size(); ++step) {
      turns[0].push_back(next(a, texts[0][step]));
      turns[1].push_back(next(b, texts[1][step]));
      if (step == 4) {  // A session may move in between.
        mla::Session moved = std::move(a);
        a = std::move(moved);
      }
    }
    CAPTURE(name);
    CHECK(turns[0] == alone[0]);
    CHECK(turns[1] == alone[1]);
    CHECK(alone[0] != alone[1]);
  }
}

TEST_CASE("a model that computes no numbers is reported, and the tokens are not kept", "[session]") {
  checkpoint_copy::Copy copy("v2_dense_only");
  checkpoint_copy::Tensor& embeddings = copy.at("model.embed_tokens.weight");
  const std::size_t row_bytes = embeddings.data.size() / 97;
  std::fill_n(embeddings.data.begin() + static_cast<std::ptrdiff_t>(7 * row_bytes), row_bytes, '\xff');
  const format_files::Folder folder;
  copy.write(folder);
  const auto model = mla::Model::load(folder.path());
  mla::Session session(model, {.threads = 1}), fresh(model, {.threads = 1});
  next(session, 3);
  const mla::Error error = thrown_by([&] { next(session, 7); });
  CHECK(error.code() == mla::ErrorCode::numeric);
  CHECK(session.position() == 1);
  next(fresh, 3);
  CHECK(next(session, 5) == next(fresh, 5));
}
