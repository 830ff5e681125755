// One conversation with a model: its KV cache, its threads and its place in the text.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "mla/attention_path.h"
#include "mla/export.h"
#include "mla/model.h"
#include "mla/tokenizer.h"

namespace mla {

struct SessionOptions {
  int threads = 0;          ///< 0: the physical cores this process may use.
  std::size_t batch = 512;  ///< Most tokens computed at once in prefill.
  std::size_t context =
      0;  ///< Most tokens kept; 0 or more than the model has positions for: the model's own limit.
  AttentionPath attention = AttentionPath::automatic;

  /// Position of the first token: other than 0 to see how a model takes a text that is shifted as a whole.
  std::size_t first_position = 0;
  /// Goes on beyond the model's own limit, where it was not trained, as far as its encoding is defined.
  bool extrapolate = false;
};

/// Sessions on one model do not disturb each other. One session is for one thread at a time.
/// The results do not depend on the number of threads, to the last bit.
class MLA_API Session {
 public:
  /// Throws Error(argument) for threads or a batch out of range.
  explicit Session(std::shared_ptr<const Model> model, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  const Model& model() const;
  std::size_t context() const;   ///< Most tokens the session can hold.
  std::size_t position() const;  ///< Tokens it holds.

  /// Called after each batch with the tokens done and to do of the current call.
  using Progress = std::function<void(std::size_t done, std::size_t total)>;
  void set_progress(Progress progress);

  /// Appends `ids` (at least one) and returns the logits [vocab_size] after the last, valid until the next
  /// call. Throws Error(argument) if an id is not in the vocabulary, Error(limit) if the context is too short
  /// for them, Error(numeric) if the logits are not finite. After an exception the session holds the
  /// batches that went well.
  std::span<const float> evaluate(std::span<const TokenId> ids);

  /// The same with the logits of every token: `sink` gets them in order, [some rows, vocab_size] at a time.
  using LogitsSink = std::function<void(std::size_t first_row, std::span<const float> logits)>;
  void evaluate_all(std::span<const TokenId> ids, const LogitsSink& sink);

  /// Forgets the tokens from `position` on.
  void rewind(std::size_t position);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mla
