// Small models on several threads, also run under ThreadSanitizer.
#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "mla/model.h"
#include "mla/session.h"

namespace {

const std::vector<mla::TokenId> kIds = {3,  14, 15, 9, 26, 5,  35, 8,  9,  79,
                                        32, 38, 46, 2, 6,  43, 38, 32, 79, 50};

std::shared_ptr<const mla::Model> model(const std::string& name) {
  return mla::Model::load(std::string(MLA_TEST_DATA_DIR "/golden/checkpoints/") + name);
}

std::vector<float> last_logits(std::shared_ptr<const mla::Model> shared, int threads, std::size_t batch) {
  mla::Session session(std::move(shared), {.threads = threads, .batch = batch});
  const auto logits = session.evaluate(kIds);
  return {logits.begin(), logits.end()};
}

}  // namespace

TEST_CASE("a session gives the same bits on any number of threads", "[threads]") {
  for (const char* name : {"v3_groups", "v2_lite_yarn"}) {
    const auto shared = model(name);
    for (const std::size_t batch : {1U, 64U}) {
      const std::vector<float> alone = last_logits(shared, 1, batch);
      for (const int threads : {2, 3, 8}) {
        CAPTURE(name, threads, batch);
        CHECK(last_logits(shared, threads, batch) == alone);
      }
    }
  }
}

TEST_CASE("sessions on one model may run at the same time", "[threads]") {
  const auto shared = model("v3_groups");
  const std::vector<float> expected = last_logits(shared, 1, 64);
  std::vector<std::vector<float>> results(3);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = last_logits(shared, 2, 64); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == expected);
}
