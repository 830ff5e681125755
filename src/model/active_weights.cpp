#include "model/active_weights.h"

#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

namespace mla {
namespace {

bool is_scale(std::string_view name) {
  return name.ends_with("_scale_inv");
}

/// A learned table of positions, of which a token looks up one row.
bool is_position_table(std::string_view name) {
  return name.ends_with("embed_positions.weight") || name.ends_with("wpe.weight");
}

bool is_expert(std::string_view name) {
  return name.find(".experts.") != std::string_view::npos;
}

std::size_t elements_of(const CheckpointTensor& tensor) {
  std::size_t count = 1;
  for (const std::size_t dimension : tensor.shape) count *= dimension;
  return count;
}

class Accounts {
 public:
  Accounts(const Decoder& decoder, const ModelInfo& info) : decoder_(decoder), info_(info) {}

  void add(const CheckpointTensor& tensor) {
    const std::string type(tensor.dtype);
    const std::string& name = tensor.name;
    const std::byte* const data = tensor.data.data();
    ActiveWeights& active = accounts_[type];
    if (data == decoder_.lm_head.weight().data.data) {
      count(tensor, 1, 1, active);
      active.head_elements += elements_of(tensor);
    } else if (data == decoder_.embed_tokens.data.data || is_position_table(name)) {
      count(tensor, 1, tensor.shape.front(), active);
    } else if (is_expert(name)) {
      if (tensor.shape.size() == 3)  // All of a layer, zero experts included, one behind the other.
        count_matrix(tensor, info_.active_experts, tensor.shape.front(), active);
      else
        count_matrix(tensor, 1, 1, single_experts_[type]);
    } else {
      count_matrix(tensor, 1, 1, active);
    }
  }

  std::map<std::string, ActiveWeights> result() {
    for (const auto& [type, all] : single_experts_) {
      const auto chosen = [&](std::size_t amount) { return amount * info_.active_experts / info_.experts; };
      ActiveWeights& active = accounts_[type];
      active.elements += chosen(all.elements);
      active.bytes += chosen(all.bytes);
      active.layer_elements += chosen(all.layer_elements);
    }
    return std::move(accounts_);
  }

 private:
  /// `used` of `parts` equal parts.
  static void count(const CheckpointTensor& tensor, std::size_t used, std::size_t parts, ActiveWeights& to) {
    to.bytes += tensor.data.size() / parts * used;
    if (!is_scale(tensor.name)) to.elements += elements_of(tensor) / parts * used;
  }

  static void count_matrix(const CheckpointTensor& tensor, std::size_t used, std::size_t parts,
                           ActiveWeights& to) {
    count(tensor, used, parts, to);
    if (tensor.shape.size() > 1 && !is_scale(tensor.name))
      to.layer_elements += elements_of(tensor) / parts * used;
  }

  const Decoder& decoder_;
  const ModelInfo& info_;
  std::map<std::string, ActiveWeights> accounts_;
  std::map<std::string, ActiveWeights> single_experts_;  ///< All of them, those not chosen included.
};

}  // namespace

std::map<std::string, ActiveWeights> active_weights(const Checkpoint& checkpoint, const Decoder& decoder,
                                                    const ModelInfo& info) {
  Accounts accounts(decoder, info);
  const std::set<std::string_view> ignored(info.ignored_tensors.begin(), info.ignored_tensors.end());
  for (const CheckpointTensor& tensor : checkpoint.tensors())
    if (!ignored.contains(tensor.name) && !tensor.data.empty()) accounts.add(tensor);
  return accounts.result();
}

}  // namespace mla
