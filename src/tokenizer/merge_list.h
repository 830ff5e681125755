// The merges of a vocabulary as its file lists them: pairs of tokens, the first ones to be done first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mla {

class MergeList {
 public:
  void add(std::string_view left, std::string_view right) {
    pairs_.push_back({characters_.size(), left.size(), right.size()});
    characters_.append(left).append(right);
  }

  std::size_t size() const { return pairs_.size(); }
  std::string_view left(std::size_t i) const { return part(pairs_[i].begin, pairs_[i].left); }
  std::string_view right(std::size_t i) const {
    return part(pairs_[i].begin + pairs_[i].left, pairs_[i].right);
  }

 private:
  struct Pair {
    std::size_t begin;
    std::size_t left;
    std::size_t right;
  };

  std::string_view part(std::size_t begin, std::size_t length) const {
    return std::string_view(characters_).substr(begin, length);
  }

  std::string characters_;
  std::vector<Pair> pairs_;
};

}  // namespace mla
