#include "fuzz/model/model_exercise.h"

#include <algorithm>
#include <array>

#include "mla/session.h"

namespace mla::fuzz {

void exercise(const std::shared_ptr<const Model>& model) {
  Session session(model, {.threads = 1, .batch = 4, .context = 4});
  const auto last = static_cast<TokenId>(std::min<std::size_t>(model->info().vocab_size, 3) - 1);
  const std::array<TokenId, 2> ids{last, 0};
  session.evaluate(std::span(ids).first(std::min<std::size_t>(session.context(), 2)));
  if (session.context() > 2) session.evaluate(std::span(ids).first(1));
}

}  // namespace mla::fuzz
