// Hand-made observations.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

#include "lab/observation.h"

namespace lab_test {

inline mla::lab::Grid grid(std::initializer_list<std::vector<float>> rows) {
  mla::lab::Grid result(rows.size(), rows.begin()->size());
  std::size_t index = 0;
  for (const std::vector<float>& row : rows) {
    for (std::size_t col = 0; col < row.size(); ++col) result.at(index, col) = row[col];
    ++index;
  }
  return result;
}

/// A head of three tokens that says nothing: every grid of the right size, all zero.
inline mla::lab::HeadObservation empty_head(std::size_t tokens, std::size_t content, std::size_t rotary) {
  mla::lab::HeadObservation head;
  head.q = mla::lab::Grid(tokens, content + rotary);
  head.k_content = mla::lab::Grid(tokens, content);
  head.k_rotary = mla::lab::Grid(tokens, rotary);
  head.content_scores = mla::lab::Grid(tokens, tokens);
  head.rotary_scores = mla::lab::Grid(tokens, tokens);
  head.bias = mla::lab::Grid(tokens, tokens);
  head.probabilities = mla::lab::Grid(tokens, tokens);
  head.context = mla::lab::Grid(tokens, 2);
  return head;
}

inline mla::lab::Observation one_head(mla::AttentionMask mask, const mla::lab::HeadObservation& head) {
  mla::lab::Observation observation{.mask = mask, .tokens = head.q.rows, .layers = {}};
  observation.layers.resize(1);
  observation.layers[0].heads = {head};
  return observation;
}

}  // namespace lab_test
