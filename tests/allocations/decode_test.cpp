// Decode steps allocate nothing.
#include <catch2/catch.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "allocations/counting_new.h"
#include "mla/model.h"
#include "mla/session.h"

namespace {

constexpr std::size_t kPrompt = 8;

mla::TokenId some_id(std::size_t position) {
  return static_cast<mla::TokenId>((position * 29 + position * position) % 31);
}

/// Allocations of the decode steps that take the session from its position to `end`.
std::size_t allocations_up_to(mla::Session& session, std::size_t end) {
  const std::size_t before = counting_new::allocations;
  while (session.position() < end) {
    const mla::TokenId id = some_id(session.position());
    session.evaluate({&id, 1});
  }
  return counting_new::allocations - before;
}

mla::Session prefilled(const std::string& golden, int threads, mla::Precision precision) {
  const auto model = mla::Model::load(std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + golden,
                                      {.precision = precision});
  mla::Session session(model, {.threads = threads});
  std::vector<mla::TokenId> prompt;
  for (std::size_t i = 0; i < kPrompt; ++i) prompt.push_back(some_id(i));
  session.evaluate(prompt);
  return session;
}

}  // namespace

TEST_CASE("the counter counts") {
  const std::size_t before = counting_new::allocations;
  const auto value = std::make_unique<std::vector<int>>(3);
  const auto plain = std::make_unique<char[]>(100);
  CHECK(counting_new::allocations - before == 3);
}

TEST_CASE("a decode step allocates nothing") {
  // Dense MLA, experts in all ways of routing, grouped-query attention, GPT-2, sparse attention, longrope, encodings that
  // are added to embeddings and to scores, and whole keys that are rotated.
  const std::string golden =
      GENERATE("v3_dense_only", "v2_defaults", "v2_group_limited", "v3_groups", "mistral4_groups",
               "longcat_two_layers", "llama_gqa", "mistral_window", "qwen3_plain", "gpt2_plain", "v32_sparse",
               "minicpm3_longrope", "positions_sinusoidal", "positions_learned", "positions_alibi",
               "llama_alibi", "simplified_rope");
  const int threads = GENERATE(1, 2);
  const auto precision = GENERATE(mla::Precision::f32, mla::Precision::fast);
  CAPTURE(golden, threads, mla::to_string(precision));
  mla::Session session = prefilled(golden, threads, precision);
  allocations_up_to(session, 48);
  session.rewind(kPrompt);  // Cache and scratch have the size for all that follows.
  CHECK(allocations_up_to(session, 48) == 0);
}

TEST_CASE("the memory of a session grows in few steps") {
  const std::string golden = GENERATE("v3_dense_only", "v2_defaults", "llama_gqa", "v32_sparse");
  const int threads = GENERATE(1, 2);
  const auto precision = GENERATE(mla::Precision::f32, mla::Precision::fast);
  CAPTURE(golden, threads, mla::to_string(precision));
  mla::Session session = prefilled(golden, threads, precision);
  CHECK(allocations_up_to(session, 240) < 60);  // 232 steps.
}
