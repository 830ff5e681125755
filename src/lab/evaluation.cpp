#include "lab/evaluation.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "base/thread_pool.h"
#include "mla/error.h"
#include "mla/session.h"
#include "runtime/likelihood.h"

namespace mla::lab {
namespace {

constexpr std::size_t kShiftedWindow = 64;
constexpr std::size_t kBucket = 32;

/// Called with an item and a session of the thread that takes it; says how many tokens it has run.
using Body = std::function<std::size_t(std::size_t item, Session& session)>;

/// One session of one thread for each worker: items are small and independent, so that sharing them out costs
/// less than sharing out each of their loops.
class Workers {
 public:
  Workers(std::shared_ptr<const Model> model, int threads, std::size_t total, EvaluationProgress progress)
      : model_(std::move(model)), pool_(threads), total_(total), progress_(std::move(progress)) {}

  void for_each(std::size_t items, std::size_t first_position, const Body& body) {
    std::vector<Session> sessions;
    sessions.reserve(static_cast<std::size_t>(pool_.size()));
    for (int worker = 0; worker < pool_.size(); ++worker)
      sessions.emplace_back(
          model_, SessionOptions{.threads = 1, .first_position = first_position, .extrapolate = true});
    pool_.parallel_for(items, [&](std::size_t item, int worker) {
      count(body(item, sessions[static_cast<std::size_t>(worker)]));
    });
  }

 private:
  void count(std::size_t tokens) {
    const std::lock_guard lock(mutex_);
    done_ += tokens;
    if (progress_) progress_(done_, total_);
  }

  std::shared_ptr<const Model> model_;
  ThreadPool pool_;
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::size_t total_;
  EvaluationProgress progress_;
};

/// Losses of the tokens 1, 2, ... of a window that begins a text.
std::vector<double> losses(Session& session, std::span<const TokenId> window) {
  const std::size_t vocab_size = session.model().info().vocab_size;
  std::vector<double> result;
  session.rewind(0);
  session.evaluate_all(window.first(window.size() - 1), [&](std::size_t, std::span<const float> logits) {
    for (; !logits.empty(); logits = logits.subspan(vocab_size))
      result.push_back(negative_log_likelihood(logits.first(vocab_size), window[result.size() + 1]));
  });
  return result;
}

/// Calls visit(i, logits) with the logits for each token of `continuation`, given all before it. The session
/// holds `prompt`, whose last logits are `first`.
template <typename Visit>
void visit_continuation(Session& session, std::span<const float> first, std::span<const TokenId> continuation,
                        Visit visit) {
  visit(std::size_t{0}, first);
  if (continuation.size() == 1) return;
  std::size_t token = 1;
  session.evaluate_all(continuation.first(continuation.size() - 1),
                       [&](std::size_t, std::span<const float> logits) {
                         for (; !logits.empty(); logits = logits.subspan(first.size()))
                           visit(token++, logits.first(first.size()));
                       });
}

/// The share of right tokens of a copy; 1 or 0 for a choice.
double score(Session& session, const TokenizedProbe& probe) {
  session.rewind(0);
  const std::span<const float> logits = session.evaluate(probe.prompt);
  const std::vector<float> first(logits.begin(), logits.end());
  const std::vector<TokenId>& right = probe.continuations[probe.answer];
  if (probe.task == ProbeTask::copy) {
    std::size_t hits = 0;
    visit_continuation(session, first, right, [&](std::size_t i, std::span<const float> row) {
      if (std::max_element(row.begin(), row.end()) - row.begin() == right[i]) ++hits;
    });
    return static_cast<double>(hits) / static_cast<double>(right.size());
  }
  std::vector<double> loss;
  for (const std::vector<TokenId>& choice : probe.continuations) {
    session.rewind(probe.prompt.size());
    loss.push_back(0.0);
    visit_continuation(session, first, choice, [&](std::size_t i, std::span<const float> row) {
      loss.back() += negative_log_likelihood(row, choice[i]);
    });
  }
  return loss[probe.answer] < loss[1 - probe.answer] ? 1.0 : 0.0;  // To find both alike is no answer.
}

class MemberEvaluation {
 public:
  MemberEvaluation(const FamilyMember& member, TokenizedSet set, const EvaluationOptions& options,
                   const EvaluationProgress& progress)
      : info_(member.model->info()),
        trained_length_(member.trained_length()),
        set_(std::move(set)),
        workers_(member.model, options.threads == 0 ? default_thread_count() : options.threads,
                 planned_tokens(), progress) {}

  TrainedResult run() {
    TrainedResult result;
    result.encoding = info_.trained_position_encoding;
    for (const std::size_t length : kLengths) measure_length(length, result);
    for (const std::size_t shift : kShifts)
      result.phase_shift.points.emplace_back(shift, perplexity(by_position(kShiftedWindow, shift)));
    measure_probes(result);
    return result;
  }

 private:
  /// Sums over the tokens at one position of their windows.
  struct Totals {
    double loss = 0.0;
    std::size_t count = 0;
  };

  bool defined(std::size_t positions) const {
    return !info_.encoding_positions || positions <= *info_.encoding_positions;
  }
  bool defined(const TokenizedProbe& probe) const { return defined(probe.length * trained_length_); }

  std::size_t document_tokens() const { return kLengths.back() * trained_length_; }

  std::size_t planned_tokens() const {
    std::size_t passes = 0;
    for (const std::size_t length : kLengths)
      if (defined(length * trained_length_)) ++passes;
    for (const std::size_t shift : kShifts)
      if (defined(shift + kShiftedWindow)) ++passes;
    std::size_t tokens = passes * document_tokens() * set_.documents.size();
    for (const TokenizedProbe& probe : set_.probes) tokens += defined(probe) ? probe.tokens() : 0;
    return tokens;
  }

  /// The losses of all windows of that many tokens, by position; nothing where there are no such positions.
  std::vector<Totals> by_position(std::size_t window, std::size_t first_position) {
    if (!defined(first_position + window)) return {};
    const std::size_t per_document = document_tokens() / window;
    std::vector<std::vector<double>> found(set_.documents.size() * per_document);
    workers_.for_each(found.size(), first_position, [&](std::size_t item, Session& session) {
      const std::span<const TokenId> document = set_.documents[item / per_document];
      found[item] = losses(session, document.subspan(item % per_document * window, window));
      return window;
    });
    std::vector<Totals> totals(window);
    for (const std::vector<double>& one : found) {
      for (std::size_t i = 0; i < one.size(); ++i) {
        totals[i + 1].loss += one[i];
        ++totals[i + 1].count;
      }
    }
    return totals;
  }

  static std::optional<double> perplexity(std::span<const Totals> positions) {
    Totals all;
    for (const Totals& one : positions) {
      all.loss += one.loss;
      all.count += one.count;
    }
    if (all.count == 0) return std::nullopt;
    return std::exp(all.loss / static_cast<double>(all.count));
  }

  void measure_length(std::size_t length, TrainedResult& result) {
    const std::size_t window = length * trained_length_;
    const std::vector<Totals> totals = by_position(window, 0);
    result.perplexity.points.emplace_back(length, perplexity(totals));
    if (length != kLengths.back()) return;
    for (std::size_t first = 0; first < window; first += kBucket) {
      const std::size_t count = std::min(kBucket, window - first);
      std::span<const Totals> bucket;
      if (!totals.empty()) bucket = std::span(totals).subspan(first, count);
      result.perplexity_at.push_back({first, first + count - 1, perplexity(bucket)});
    }
  }

  void measure_probes(TrainedResult& result) {
    std::vector<const TokenizedProbe*> probes;
    for (const TokenizedProbe& probe : set_.probes)
      if (defined(probe)) probes.push_back(&probe);
    std::vector<double> scores(probes.size());
    workers_.for_each(probes.size(), 0, [&](std::size_t item, Session& session) {
      scores[item] = score(session, *probes[item]);
      return probes[item]->tokens();
    });
    for (const auto& [task, name] : kProbeTasks) {
      for (const std::size_t length : kLengths) {
        std::vector<double> group;
        for (std::size_t i = 0; i < probes.size(); ++i)
          if (probes[i]->task == task && probes[i]->length == length) group.push_back(scores[i]);
        add_accuracy(task, length, group, result);
      }
    }
  }

  static void add_accuracy(ProbeTask task, std::size_t length, std::span<const double> scores,
                           TrainedResult& result) {
    std::optional<double>& mean = result.of(task).points.emplace_back(length, std::nullopt).second;
    if (scores.empty()) return;
    const auto n = static_cast<double>(scores.size());
    mean = std::accumulate(scores.begin(), scores.end(), 0.0) / n;
    double squares = 0.0;
    for (const double one : scores) squares += (one - *mean) * (one - *mean);
    result.counts.push_back({task, length, scores.size(), std::sqrt(squares) / n});
  }

  const ModelInfo& info_;
  std::size_t trained_length_;
  TokenizedSet set_;
  Workers workers_;
};

}  // namespace

TrainedResult evaluate_member(const FamilyMember& member, const EvaluationSet& set,
                              const EvaluationOptions& options, const EvaluationProgress& progress) {
  constexpr std::size_t kShortest = kShiftedWindow / kLengths.back();
  if (member.trained_length() < kShortest) {
    throw Error(ErrorCode::mismatch, member.model->info().path, "max_position_embeddings",
                "found " + std::to_string(member.trained_length()) + ", expected at least " +
                    std::to_string(kShortest));
  }
  TokenizedSet tokens = tokenize(set, *member.tokenizer, member.trained_length());
  return MemberEvaluation(member, std::move(tokens), options, progress).run();
}

std::vector<TrainedResult> evaluate_family(const std::filesystem::path& family,
                                           const EvaluationOptions& options,
                                           const EvaluationProgress& progress) {
  constexpr std::size_t kParts = 1000;  // Each model is the same share of the whole.
  const std::vector<FamilyMember> members = load_family(family);
  const EvaluationSet set = read_evaluation_set(family / "evaluation");
  std::vector<TrainedResult> results;
  for (const FamilyMember& member : members) {
    const std::size_t before = results.size() * kParts;
    results.push_back(evaluate_member(member, set, options, [&](std::size_t done, std::size_t total) {
      if (progress) progress(before + kParts * done / total, members.size() * kParts);
    }));
  }
  return results;
}

}  // namespace mla::lab
