#include "model/known_keys.h"

#include <array>

#include "model/config_reading.h"

namespace mla {
namespace {

constexpr std::array kCounts = {"ep_size",
                                "first_k_dense_replace",
                                "head_dim",
                                "hidden_size",
                                "index_head_dim",
                                "index_n_heads",
                                "index_topk",
                                "intermediate_size",
                                "kv_lora_rank",
                                "max_position_embeddings",
                                "max_window_layers",
                                "moe_intermediate_size",
                                "moe_layer_freq",
                                "n_ctx",
                                "n_group",
                                "n_routed_experts",
                                "n_shared_experts",
                                "num_attention_heads",
                                "num_experts_per_tok",
                                "num_hidden_layers",
                                "num_key_value_heads",
                                "num_nextn_predict_layers",
                                "pretraining_tp",
                                "q_lora_rank",
                                "qk_head_dim",
                                "qk_nope_head_dim",
                                "qk_rope_head_dim",
                                "sliding_window",
                                "topk_group",
                                "v_head_dim"};
constexpr std::array kNumbers = {
    "attention_dropout", "attn_pdrop",           "aux_loss_alpha",        "embd_pdrop",
    "resid_pdrop",       "initializer_range",    "partial_rotary_factor", "rms_norm_eps",
    "rope_theta",        "router_aux_loss_coef", "routed_scaling_factor"};
constexpr std::array kFlags = {"attention_bias",  "mlp_bias",    "norm_topk_prob",
                               "rope_interleave", "router_bias", "output_router_logits",
                               "seq_aux",         "use_cache",   "use_sliding_window"};
constexpr std::array kTexts = {"hidden_act", "scoring_func", "topk_method"};

}  // namespace

void check_known_keys(const JsonField& config) {
  for (const char* key : kCounts)
    if (const auto field = config.find(key)) field->as_int(0, kGreatestSize);
  for (const char* key : kNumbers)
    if (const auto field = config.find(key)) field->as_number();
  for (const char* key : kFlags)
    if (const auto field = config.find(key)) field->as_bool();
  for (const char* key : kTexts)
    if (const auto field = config.find(key)) field->as_string();
}

}  // namespace mla
