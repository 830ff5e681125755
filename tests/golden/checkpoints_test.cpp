// The engine against transformers (float32, eager attention) on tiny random checkpoints of every variant, and
// against itself: whatever the chunking, the attention path, the threads and the instruction set, the
// function is the same.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/npy.h"
#include "kernels/kernels.h"
#include "mla/generator.h"
#include "mla/model.h"
#include "mla/session.h"
#include "unit/base/thrown.h"

namespace {

// The bound the project promises on logits of unit scale. Measured differences lie below 2e-5: float32
// rounding of some hundred additions in each of a few layers.
constexpr double kTolerance = 1e-4;

struct Golden {
  std::string name;
  std::shared_ptr<const mla::Model> model;
  std::vector<mla::TokenId> prompt;
  std::vector<mla::TokenId> greedy;
  mla::NpyArray logits;
};

std::vector<mla::TokenId> read_ids(const mla::Json& json) {
  return json.get<std::vector<mla::TokenId>>();
}

Golden load(const std::filesystem::path& folder) {
  const mla::Json reference = mla::read_json_file(folder / "reference.json");
  return {folder.filename().string(), mla::Model::load(folder, {.precision = mla::Precision::f32}),
          read_ids(reference["prompt_ids"]), read_ids(reference["greedy_ids"]),
          mla::read_npy(folder / "logits.npy")};
}

/// `kind`: "checkpoints" or "gguf".
std::vector<std::filesystem::path> folders_of(const std::string& kind) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(MLA_TEST_DATA_DIR "/golden/" + kind))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

/// Hugging Face folders, and folders with a GGUF file.
std::vector<std::filesystem::path> all_folders() {
  std::vector<std::filesystem::path> folders = folders_of("checkpoints");
  for (const auto& folder : folders_of("gguf")) folders.push_back(folder);
  return folders;
}

/// Unique among all.
std::string title_of(const std::filesystem::path& folder) {
  return folder.parent_path().filename().string() + "/" + folder.filename().string();
}

/// All logits of `ids`, given to the session in the pieces that `batch` makes.
std::vector<float> logits_of(const mla::Model& model, std::shared_ptr<const mla::Model> shared,
                             const std::vector<mla::TokenId>& ids, const mla::SessionOptions& options) {
  mla::Session session(std::move(shared), options);
  std::vector<float> all;
  all.reserve(ids.size() * model.info().vocab_size);
  session.evaluate_all(ids, [&](std::size_t, std::span<const float> some) {
    all.insert(all.end(), some.begin(), some.end());
  });
  return all;
}

std::vector<float> logits_of(const Golden& golden, const mla::SessionOptions& options) {
  return logits_of(*golden.model, golden.model, golden.prompt, options);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return HUGE_VAL;
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest)) largest = std::isnan(difference) ? HUGE_VAL : difference;
  }
  return largest;
}

std::vector<mla::TokenId> continue_greedily(const Golden& golden, const mla::SessionOptions& options) {
  mla::Session session(golden.model, options);
  mla::GenerateOptions generate;
  generate.max_tokens = golden.greedy.size();
  generate.sampler.temperature = 0.0;
  return mla::generate(session, nullptr, golden.prompt, generate).ids;
}

/// Sets MLA_ISA while it lives.
class ForcedKernels {
 public:
  explicit ForcedKernels(const char* name) { ::setenv("MLA_ISA", name, 1); }
  ~ForcedKernels() { ::unsetenv("MLA_ISA"); }
};

mla::SessionOptions with_batch(std::size_t batch) {
  return {.threads = 2, .batch = batch};
}

/// With dynamic rope the frequencies of a call depend on the call's own length, so tokens fed one at a time
/// are a different computation (in the reference, too).
bool depends_on_call_length(const Golden& golden) {
  return golden.name.ends_with("_dynamic") || golden.name.ends_with("_longrope");
}

/// Where the keys are rotated whole, the rotation stands between the two matrices that absorbing would multiply; and
/// models that cache keys and values have no such matrices.
bool cannot_absorb(const Golden& golden) {
  return golden.name.starts_with("simplified_rope") || golden.model->info().cache_kind != "latent";
}

/// The encodings of `logits_as_<encoding>.npy`.
std::vector<std::string> exchanges(const std::filesystem::path& folder) {
  constexpr std::string_view kPrefix = "logits_as_";
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem().string();
    if (name.starts_with(kPrefix)) names.push_back(name.substr(kPrefix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("there is a golden checkpoint for every variant", "[golden]") {
  CHECK(folders_of("checkpoints").size() >= 134);
  CHECK(folders_of("gguf").size() >= 21);
}

TEST_CASE("logits and greedy continuations equal transformers'", "[golden]") {
  for (const auto& folder : all_folders()) {
    DYNAMIC_SECTION(title_of(folder)) {
      const Golden golden = load(folder);
      REQUIRE(golden.prompt.size() >= 100);
      CHECK(largest_difference(logits_of(golden, with_batch(512)), golden.logits.values) <= kTolerance);
      CHECK(continue_greedily(golden, with_batch(512)) == golden.greedy);
    }
  }
}

TEST_CASE("prefill in chunks and token by token give the logits of one prefill", "[golden]") {
  for (const auto& folder : all_folders()) {
    DYNAMIC_SECTION(title_of(folder)) {
      const Golden golden = load(folder);
      for (const std::size_t batch : {1U, 7U, 64U}) {
        CAPTURE(batch);
        CHECK(largest_difference(logits_of(golden, with_batch(batch)), golden.logits.values) <= kTolerance);
      }
      if (depends_on_call_length(golden)) continue;
      mla::Session session(golden.model, with_batch(512));
      std::vector<float> stepped;
      for (const mla::TokenId id : golden.prompt) {
        const auto logits = session.evaluate({&id, 1});
        stepped.insert(stepped.end(), logits.begin(), logits.end());
      }
      CHECK(largest_difference(stepped, golden.logits.values) <= kTolerance);
    }
  }
}

TEST_CASE("absorbed attention equals decompressed attention", "[golden]") {
  for (const auto& folder : all_folders()) {
    DYNAMIC_SECTION(title_of(folder)) {
      const Golden golden = load(folder);
      if (cannot_absorb(golden)) continue;
      for (const auto path : {mla::AttentionPath::absorbed, mla::AttentionPath::decompressed})
        for (const std::size_t batch : {1U, 3U, 70U, 512U}) {
          mla::SessionOptions options = with_batch(batch);
          options.attention = path;
          CAPTURE(batch, path == mla::AttentionPath::absorbed);
          CHECK(largest_difference(logits_of(golden, options), golden.logits.values) <= kTolerance);
        }
    }
  }
}

TEST_CASE("what cannot be absorbed is refused by that path, and needs no other", "[golden]") {
  std::size_t found = 0;
  for (const auto& folder : all_folders()) {
    const Golden golden = load(folder);
    if (!cannot_absorb(golden)) continue;
    CAPTURE(golden.name);
    ++found;
    for (const std::size_t batch : {1U, 3U, 70U, 512U}) {
      mla::SessionOptions options = with_batch(batch);
      options.attention = mla::AttentionPath::decompressed;
      CHECK(largest_difference(logits_of(golden, options), golden.logits.values) <= kTolerance);
      options.attention = mla::AttentionPath::absorbed;
      CHECK(thrown_by([&] { logits_of(golden, options); }).code() == mla::ErrorCode::unsupported);
    }
  }
  CHECK(found == 56);
}

TEST_CASE("an exchanged encoding gives the reference's logits with it", "[golden]") {
  std::size_t found = 0;
  for (const auto& folder : all_folders()) {
    Golden golden = load(folder);
    for (const std::string& encoding : exchanges(folder)) {
      CAPTURE(golden.name, encoding);
      ++found;
      golden.model =
          mla::Model::load(folder, {.precision = mla::Precision::f32, .position_encoding = encoding});
      // With a rotary part of its own a model's rope is decoupled, and called so.
      const bool decoupled = golden.name == "positions_rope_decoupled" || golden.name == "v32_positions";
      CHECK(golden.model->info().position_encoding ==
            (encoding == "rope" && decoupled ? "rope-decoupled" : encoding));
      const std::vector<float> expected = mla::read_npy(folder / ("logits_as_" + encoding + ".npy")).values;
      for (const std::size_t batch : {1U, 7U, 512U})
        CHECK(largest_difference(logits_of(golden, with_batch(batch)), expected) <= kTolerance);
    }
  }
  CHECK(found == 29);
}

TEST_CASE("any number of threads gives the same bits", "[golden][threads]") {
  for (const auto& folder : all_folders()) {
    DYNAMIC_SECTION(title_of(folder)) {
      const Golden golden = load(folder);
      for (const std::size_t batch : {1U, 64U}) {
        const std::vector<float> alone = logits_of(golden, {.threads = 1, .batch = batch});
        for (const int threads : {2, 3, 8}) {
          CAPTURE(threads, batch);
          CHECK(logits_of(golden, {.threads = threads, .batch = batch}) == alone);
        }
      }
    }
  }
}

TEST_CASE("every instruction set gives the reference's logits", "[golden]") {
  for (const mla::Kernels* kernels : mla::available_kernels()) {
    const ForcedKernels forced(kernels->name);
    for (const auto& folder : all_folders()) {
      CAPTURE(kernels->name, title_of(folder));
      const Golden golden = load(folder);
      for (const std::size_t batch : {1U, 512U})
        CHECK(largest_difference(logits_of(golden, with_batch(batch)), golden.logits.values) <= kTolerance);
    }
  }
}

TEST_CASE("two sessions that take turns equal two separate ones", "[golden]") {
  for (const char* name : {"v2_lite_yarn", "v3_r1_yarn", "qwen3_layer_types"}) {
    const Golden golden = load(std::filesystem::path(MLA_TEST_DATA_DIR "/golden/checkpoints") / name);
    const std::vector<mla::TokenId> backwards(golden.prompt.rbegin(), golden.prompt.rend());
    const auto step = [](mla::Session& session, mla::TokenId id, std::vector<float>& all) {
      const auto logits = session.evaluate({&id, 1});
      all.insert(all.end(), logits.begin(), logits.end());
    };
    std::vector<float> first_alone, second_alone, first, second;
    {
      mla::Session a(golden.model, with_batch(1)), b(golden.model, with_batch(1));
      for (const mla::TokenId id : golden.prompt) step(a, id, first_alone);
      for (const mla::TokenId id : backwards) step(b, id, second_alone);
    }
    mla::Session a(golden.model, with_batch(1)), b(golden.model, with_batch(1));
    for (std::size_t i = 0; i < golden.prompt.size(); ++i) {
      step(a, golden.prompt[i], first);
      step(b, backwards[i], second);
    }
    CHECK(first == first_alone);
    CHECK(second == second_alone);
  }
}
