#include "model/active_weights.h"

#include <cstddef>
#include <optional>
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
  Accounts(Decoder& decoder, const ModelInfo& info) : decoder_(decoder), info_(info) {
    decoder.visit_linears([&](const Linear& linear, LinearRole) {
      if (linear.is_packed()) packed_types_[linear.weight().data.data] = linear.packed().dtype();
    });
  }

  void add(const CheckpointTensor& tensor) {
    const std::optional<DType> packed = packed_type_of(tensor);
    const std::string type(packed ? dtype_name(*packed) : tensor.dtype);
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
  /// Of the first matrix that lies in the tensor's data: all of them become the same.
  std::optional<DType> packed_type_of(const CheckpointTensor& tensor) const {
    const auto found = packed_types_.lower_bound(tensor.data.data());
    if (found == packed_types_.end() || found->first >= tensor.data.data() + tensor.data.size())
      return std::nullopt;
    return found->second;
  }

  std::size_t bytes_of(const CheckpointTensor& tensor) const {
    const std::optional<DType> packed = packed_type_of(tensor);
    if (!packed) return tensor.data.size();
    const DTypeTraits& traits = dtype_traits(*packed);
    return elements_of(tensor) / traits.block_elements * traits.block_bytes;
  }

  /// `used` of `parts` equal parts.
  void count(const CheckpointTensor& tensor, std::size_t used, std::size_t parts, ActiveWeights& to) const {
    to.bytes += bytes_of(tensor) / parts * used;
    if (!is_scale(tensor.name)) to.elements += elements_of(tensor) / parts * used;
  }

  void count_matrix(const CheckpointTensor& tensor, std::size_t used, std::size_t parts,
                    ActiveWeights& to) const {
    count(tensor, used, parts, to);
    if (tensor.shape.size() > 1 && !is_scale(tensor.name))
      to.layer_elements += elements_of(tensor) / parts * used;
  }

  const Decoder& decoder_;
  std::map<const std::byte*, DType> packed_types_;  ///< By where the matrix lies in the file.
  const ModelInfo& info_;
  std::map<std::string, ActiveWeights> accounts_;
  std::map<std::string, ActiveWeights> single_experts_;  ///< All of them, those not chosen included.
};

}  // namespace

std::map<std::string, ActiveWeights> active_weights(const Checkpoint& checkpoint, Decoder& decoder,
                                                    const ModelInfo& info) {
  Accounts accounts(decoder, info);
  const std::set<std::string_view> ignored(info.ignored_tensors.begin(), info.ignored_tensors.end());
  for (const CheckpointTensor& tensor : checkpoint.tensors())
    if (!ignored.contains(tensor.name) && !tensor.data.empty()) accounts.add(tensor);
  return accounts.result();
}

}  // namespace mla
