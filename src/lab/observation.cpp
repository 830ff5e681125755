#include "lab/observation.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/kernels.h"

namespace mla::lab {
namespace {

class Recorder final : public ForwardObserver {
 public:
  Recorder(Observation& observation, const PositionalEncoding& encoding, const Kernels& kernels)
      : observation_(observation), encoding_(encoding), kernels_(kernels) {}

  void layer_input(std::size_t layer, ConstMatrix x) override { observation_.layers[layer].input = Grid(x); }
  void attention_output(std::size_t layer, ConstMatrix out) override {
    observation_.layers[layer].output = Grid(out);
  }

  void head(const HeadView& view) override {
    HeadObservation& seen = observation_.layers[view.layer].heads[view.head];
    const std::size_t tokens = observation_.tokens;
    if (view.first_row == 0) prepare(seen, view, tokens);
    seen.q.put(view.first_row, view.q);
    seen.context.put(view.first_row, view.out);
    seen.probabilities.put(view.first_row, view.probabilities);
    seen.k_content.put(0, view.k_content);
    seen.k_rotary.put(0, view.k_rotary);
    score(seen, view);
  }

 private:
  static void prepare(HeadObservation& seen, const HeadView& view, std::size_t tokens) {
    seen.scale = static_cast<double>(view.scale);
    seen.window = view.window;
    seen.q = Grid(tokens, view.q.cols);
    seen.k_content = Grid(tokens, view.k_content.cols);
    seen.k_rotary = Grid(tokens, view.k_rotary.cols);
    seen.context = Grid(tokens, view.out.cols);
    for (Grid* grid : {&seen.content_scores, &seen.rotary_scores, &seen.bias, &seen.probabilities})
      *grid = Grid(tokens, tokens);
  }

  /// The parts of the scores, made again from the queries and keys.
  void score(HeadObservation& seen, const HeadView& view) const {
    const std::size_t content = view.k_content.cols;
    Grid part(view.q.rows, view.k_content.rows);
    multiply_transposed(view.q.columns(0, content), view.k_content, part.matrix(), kernels_);
    keep(part, seen, view, view.scale, seen.content_scores);
    if (view.k_rotary.cols > 0) {
      multiply_transposed(view.q.columns(content, view.k_rotary.cols), view.k_rotary, part.matrix(),
                          kernels_);
      keep(part, seen, view, view.scale, seen.rotary_scores);
    }
    std::fill(part.values.begin(), part.values.end(), 0.0F);
    encoding_.add_score_bias(
        {.head = view.head, .first_query = view.first_key + view.first_row, .first_key = view.first_key},
        part.matrix());
    keep(part, seen, view, 1.0F, seen.bias);
  }

  /// The visible scores of a block of rows, scaled, into the whole.
  void keep(const Grid& part, const HeadObservation& seen, const HeadView& view, float scale,
            Grid& whole) const {
    for (std::size_t row = 0; row < part.rows; ++row) {
      const std::size_t query = view.first_row + row;
      const VisibleKeys keys = observation_.visible(seen, query);
      for (std::size_t key = keys.begin; key < keys.end; ++key)
        whole.at(query, key) = scale * part.at(row, key);
    }
  }

  Observation& observation_;
  const PositionalEncoding& encoding_;
  const Kernels& kernels_;
};

}  // namespace

VisibleKeys Observation::visible(const HeadObservation& head, std::size_t query) const {
  const std::size_t reach = head.window ? std::min(*head.window, tokens) : tokens;
  const std::size_t end = mask == AttentionMask::causal ? query + 1 : std::min(query + reach, tokens);
  return {query + 1 < reach ? 0 : query + 1 - reach, end};
}

Observation observe(const Decoder& decoder, std::span<const TokenId> ids, const ObserveOptions& options) {
  decoder.check_ids(ids);
  const PositionalEncoding& encoding = options.encoding != nullptr ? *options.encoding : *decoder.position;
  Kernels kernels = best_kernels();
  kernels.by_panels = true;

  Observation observation{.mask = options.mask, .tokens = ids.size(), .layers = {}};
  observation.layers.resize(decoder.layers.size());
  for (LayerObservation& layer : observation.layers) layer.heads.resize(decoder.encoding.num_heads);

  Recorder recorder(observation, encoding, kernels);
  KvCache cache(decoder.cache_widths(), ids.size());
  cache.reserve(ids.size());
  Workspace workspace(1, kernels);
  PositionBatch batch{
      .first = 0, .count = ids.size(), .sequence_length = ids.size(), .offset = options.first_position};
  const PassOptions pass{.mask = options.mask, .position = options.encoding, .observer = &recorder};
  decoder.forward(ids, batch, cache, pass, workspace, Matrix{});
  return observation;
}

}  // namespace mla::lab
