// Sampler options as numbers of any bits, and logits.
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "fuzz/fuzz.h"
#include "mla/sampler.h"

namespace mla::fuzz {
namespace {

template <typename T>
void take(std::string_view& input, T& value) {
  const std::size_t count = std::min(sizeof value, input.size());
  std::memcpy(&value, input.data(), count);
  input.remove_prefix(count);
}

SamplerOptions take_options(std::string_view& input) {
  SamplerOptions options;
  for (double* const number :
       {&options.repetition_penalty, &options.presence_penalty, &options.frequency_penalty,
        &options.temperature, &options.top_p, &options.min_p, &options.typical_p})
    take(input, *number);
  take(input, options.top_k);
  take(input, options.seed);
  return options;
}

void run(std::string_view input) {
  const SamplerOptions options = take_options(input);
  check(options);
  std::vector<float> logits;
  while (!input.empty()) {
    float logit = 0.0F;
    take(input, logit);
    logits.push_back(std::isfinite(logit) ? logit : 0.0F);  // A session lets no others out.
  }
  if (logits.empty()) return;
  Sampler sampler(options);
  for (int i = 0; i < 4; ++i) {
    const TokenId id = sampler.sample(logits);
    if (id < 0 || static_cast<std::size_t>(id) >= logits.size())
      throw std::logic_error("a token that is not in the vocabulary");
    sampler.accept(id);
  }
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
