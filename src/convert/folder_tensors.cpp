// A checkpoint's tensors in the forms that convert_hf_to_gguf.py (conversion/*.py of
// https://github.com/ggml-org/llama.cpp) gives them.
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "convert/folder.h"
#include "mla/error.h"
#include "model/gguf_names.h"
#include "tensor/decode.h"

namespace mla {
namespace {

constexpr std::string_view kScaleSuffix = "_scale_inv";

/// Where a row of the new tensor lies in the old one.
using RowOrder = std::function<std::size_t(std::size_t row)>;

/// Within runs of `dim` rows that begin at `begin` of each `period`: HF has the two values of a rotated pair `dim / 2`
/// rows apart, GGUF has them side by side.
RowOrder side_by_side(std::size_t period, std::size_t begin, std::size_t dim) {
  return [=](std::size_t row) {
    const std::size_t at = row % period;
    if (at < begin || at >= begin + dim) return row;
    const std::size_t i = at - begin;
    return row - i + i / 2 + (i % 2) * (dim / 2);
  };
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view end) { return text.ends_with(end); });
}

/// The tensor as a matrix of its block-scaled rows.
class FolderTensors {
 public:
  FolderTensors(const ModelSource& source, const FolderModel& model, ConversionPlan& plan)
      : source_(source), model_(model), plan_(plan) {}

  void add(const CheckpointTensor& tensor) {
    const std::optional<GgufPlace> place = gguf_place(model_.architecture, tensor.name);
    if (!place) refuse(tensor);
    refuse_unknown_bias(tensor, place->name);
    plan_.source_bytes += tensor.data.size();
    if (place->expert) return add_expert(tensor, *place);
    if (model_.architecture == "deepseek2" && tensor.name.ends_with("kv_b_proj.weight"))
      return add_split(tensor);
    if (tensor.name.ends_with(".mlp.experts.gate_up_proj")) return add_halves(tensor);
    if (model_.input_major && is_matrix_of_gpt2(tensor.name)) return add_transposed(tensor, place->name);
    add_rows(tensor, place->name);
  }

  void add_factors(const std::string& name, const std::vector<float>& factors) {
    PlannedTensor planned{.name = name,
                          .shape = {factors.size()},
                          .source = name,
                          .file = source_.config_file,
                          .data = {},
                          .read_row = {}};
    planned.read_row = [factors](std::size_t, std::span<float> row) {
      std::copy(factors.begin(), factors.end(), row.begin());
    };
    plan_.tensors.push_back(std::move(planned));
  }

  /// One tensor for the experts of a layer, which came one by one.
  void add_stacks() {
    for (auto& [name, experts] : stacks_) add_stack(name, experts);
  }

 private:
  struct Expert {
    const CheckpointTensor* tensor;
    WeightView weight;
  };

  [[noreturn]] void refuse(const CheckpointTensor& tensor) const {
    throw Error(ErrorCode::unsupported, *tensor.file, tensor.stored_name,
                "found a tensor for which GGUF's " + model_.architecture + " has no place");
  }

  /// The table of names takes any bias; llama.cpp's loaders (src/models/*.cpp) do not.
  void refuse_unknown_bias(const CheckpointTensor& tensor, std::string_view name) const {
    if (!name.ends_with(".bias")) return;
    const bool latent = model_.architecture == "deepseek2" || model_.architecture == "minicpm3";
    const bool qwen = model_.architecture == "qwen2" || model_.architecture == "qwen3";
    const bool known = latent ? name.ends_with("exp_probs_b.bias")
                              : !qwen || ends_with_any(name, {"attn_q.bias", "attn_k.bias", "attn_v.bias"});
    if (!known) refuse(tensor);
  }

  static bool is_matrix_of_gpt2(std::string_view name) {
    return ends_with_any(name, {"c_attn.weight", "c_proj.weight", "c_fc.weight"});
  }

  WeightView weight_of(const CheckpointTensor& tensor) const {
    const TensorView view = tensor.view();
    if (view.dtype != DType::f8_e4m3) return {view, std::nullopt};
    const std::string scale = tensor.name + std::string(kScaleSuffix);
    return block_scaled(view, source_.checkpoint.view(scale), model_.fp8.rows, model_.fp8.cols, *tensor.file,
                        scale);
  }

  PlannedTensor plan_of(const CheckpointTensor& tensor, std::string name,
                        std::vector<std::size_t> shape) const {
    return {.name = std::move(name),
            .shape = std::move(shape),
            .source = tensor.stored_name,
            .file = *tensor.file,
            .data = {},
            .read_row = {}};
  }

  RowOrder order_of(const CheckpointTensor& tensor) const {
    const std::string_view name = tensor.name;
    if (model_.pairing != RopePairing::halves) return {};
    if (model_.architecture == "llama" &&
        ends_with_any(name, {"q_proj.weight", "q_proj.bias", "k_proj.weight", "k_proj.bias"}))
      return side_by_side(model_.head_dim, 0, model_.head_dim);
    const MlaShape& shape = model_.latent;
    if (model_.architecture != "deepseek2") return {};
    if (ends_with_any(name, {".q_proj.weight", ".q_b_proj.weight"}))
      return side_by_side(shape.qk_head_dim(), shape.qk_nope_head_dim, shape.qk_rope_head_dim);
    if (name.ends_with("kv_a_proj_with_mqa.weight"))
      return side_by_side(shape.kv_lora_rank + shape.qk_rope_head_dim, shape.kv_lora_rank,
                          shape.qk_rope_head_dim);
    return {};
  }

  void add_rows(const CheckpointTensor& tensor, const std::string& name) {
    const WeightView weight = weight_of(tensor);
    PlannedTensor planned = plan_of(tensor, name, tensor.shape);
    const RowOrder order = order_of(tensor);
    if (order && tensor.shape.size() == 1)  // A bias has its rows in one.
      planned.read_row = [weight, order](std::size_t, std::span<float> row) {
        for (std::size_t i = 0; i < row.size(); ++i) row[i] = decode_element(weight.data, 0, order(i));
      };
    else if (order)
      planned.read_row = [weight, order](std::size_t index, std::span<float> row) {
        decode_row(weight, order(index), 0, row);
      };
    else
      planned.read_row = [weight](std::size_t index, std::span<float> row) {
        decode_row(weight, index, 0, row);
      };
    plan_.tensors.push_back(std::move(planned));
  }

  /// Element [i, j] becomes [j, i].
  void add_transposed(const CheckpointTensor& tensor, const std::string& name) {
    const WeightView weight = weight_of(tensor);
    PlannedTensor planned = plan_of(tensor, name, {weight.cols(), weight.rows()});
    planned.read_row = [weight](std::size_t index, std::span<float> row) {
      for (std::size_t i = 0; i < row.size(); ++i) decode_row(weight, i, index, row.subspan(i, 1));
    };
    plan_.tensors.push_back(std::move(planned));
  }

  /// kv_b_proj [heads * (nope + v), rank] as W_UK of each head transposed, [heads, rank, nope], and its W_UV, [heads, v,
  /// rank].
  void add_split(const CheckpointTensor& tensor) {
    const WeightView weight = weight_of(tensor);
    const MlaShape shape = model_.latent;
    const std::size_t height = shape.qk_nope_head_dim + shape.v_head_dim;
    std::string stem = gguf_place(model_.architecture, tensor.name)->name;  // blk.N.attn_kv_b.weight
    stem.erase(stem.rfind("kv_b.weight"));
    PlannedTensor keys =
        plan_of(tensor, stem + "k_b.weight", {shape.num_heads, shape.kv_lora_rank, shape.qk_nope_head_dim});
    keys.read_row = [weight, shape, height](std::size_t index, std::span<float> row) {
      const std::size_t first = index / shape.kv_lora_rank * height;
      for (std::size_t i = 0; i < row.size(); ++i)
        decode_row(weight, first + i, index % shape.kv_lora_rank, row.subspan(i, 1));
    };
    PlannedTensor values =
        plan_of(tensor, stem + "v_b.weight", {shape.num_heads, shape.v_head_dim, shape.kv_lora_rank});
    values.read_row = [weight, shape, height](std::size_t index, std::span<float> row) {
      const std::size_t head = index / shape.v_head_dim;
      decode_row(weight, head * height + shape.qk_nope_head_dim + index % shape.v_head_dim, 0, row);
    };
    plan_.tensors.push_back(std::move(keys));
    plan_.tensors.push_back(std::move(values));
  }

  /// All experts' gate_proj and up_proj, which transformers puts into one tensor [experts, 2 * width, hidden].
  void add_halves(const CheckpointTensor& tensor) {
    const WeightView weight = weight_of(tensor);
    const std::size_t width = tensor.shape[1] / 2;
    std::string stem = gguf_place(model_.architecture, tensor.name)->name;  // blk.N.ffn_gate_up_exps.weight
    stem.erase(stem.rfind("gate_up_exps.weight"));
    for (const std::size_t half : {0U, 1U}) {
      PlannedTensor planned = plan_of(tensor, stem + (half == 0 ? "gate_exps.weight" : "up_exps.weight"),
                                      {tensor.shape[0], width, tensor.shape[2]});
      planned.read_row = [weight, width, half](std::size_t index, std::span<float> row) {
        decode_row(weight, index / width * 2 * width + half * width + index % width, 0, row);
      };
      plan_.tensors.push_back(std::move(planned));
    }
  }

  void add_expert(const CheckpointTensor& tensor, const GgufPlace& place) {
    std::vector<Expert>& experts = stacks_[place.name];
    // The model has been loaded: there are exactly so many.
    experts.resize(std::max(experts.size(), *place.expert + 1));
    experts[*place.expert] = {&tensor, weight_of(tensor)};
  }

  void add_stack(const std::string& name, const std::vector<Expert>& experts) {
    const CheckpointTensor& first = *experts.front().tensor;
    const std::size_t rows = experts.front().weight.rows();
    PlannedTensor planned = plan_of(first, name, {experts.size(), rows, experts.front().weight.cols()});
    planned.source = name;  // Its rows are counted over all experts.
    planned.read_row = [experts, rows](std::size_t index, std::span<float> row) {
      decode_row(experts[index / rows].weight, index % rows, 0, row);
    };
    plan_.tensors.push_back(std::move(planned));
  }

  const ModelSource& source_;
  const FolderModel& model_;
  ConversionPlan& plan_;
  std::map<std::string, std::vector<Expert>> stacks_;
};

/// The order of the layers, and within one that of the names; what is in none comes first.
bool comes_before(const PlannedTensor& a, const PlannedTensor& b) {
  const auto key = [](const PlannedTensor& tensor) {
    constexpr std::string_view kBlocks = "blk.";
    std::size_t layer = 0;
    const std::string& name = tensor.name;
    if (name.starts_with(kBlocks))
      std::from_chars(name.data() + kBlocks.size(), name.data() + name.size(), layer);
    return std::make_tuple(name.starts_with(kBlocks), layer, std::string_view(name));
  };
  return key(a) < key(b);
}

/// Whether the tensor is an output head that is nothing but the embeddings, which a GGUF file then does not have.
/// With values of its own it stays, whatever the config says: so do transformers and mla.
bool is_tied_head(const CheckpointTensor& tensor, const ModelSource& source, const FolderModel& model) {
  if (!model.tied || tensor.name != "lm_head.weight") return false;
  for (const CheckpointTensor& other : source.checkpoint.tensors())
    if (gguf_place(model.architecture, other.name) == GgufPlace{"token_embd.weight", std::nullopt})
      return other.dtype == tensor.dtype && std::ranges::equal(other.data, tensor.data);
  return false;
}

}  // namespace

void plan_tensors(const ModelSource& source, const FolderModel& model,
                  const std::function<bool(std::string_view name)>& is_needed, ConversionPlan& plan) {
  FolderTensors tensors(source, model, plan);
  for (const CheckpointTensor& tensor : source.checkpoint.tensors()) {
    const bool is_scale = tensor.name.ends_with(kScaleSuffix);  // Taken along with its weight.
    if (!is_scale && !is_tied_head(tensor, source, model) && is_needed(tensor.name)) tensors.add(tensor);
  }
  tensors.add_stacks();
  for (const auto& [name, factors] : model.rope_factors) tensors.add_factors(name, factors);
  std::sort(plan.tensors.begin(), plan.tensors.end(), comes_before);
}

}  // namespace mla
