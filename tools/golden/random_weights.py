"""Random float32 tensors under the published DeepSeek names, scaled so that every part of the model matters."""

import numpy as np
from numpy_reference import is_dense


class WeightMaker:
    def __init__(self, variant, seed):
        self.variant = variant
        self.config = variant.config
        self.random = np.random.default_rng(seed)
        self.tensors = {}

    def linear(self, name, rows, columns, gain=1.0, bias=False):
        deviation = gain / np.sqrt(max(columns, 1))
        self.tensors[name + ".weight"] = self.random.normal(0.0, deviation, (rows, columns)).astype(np.float32)
        if bias:
            self.tensors[name + ".bias"] = self.random.normal(0.0, 0.3, rows).astype(np.float32)

    def norm(self, name, size):
        self.tensors[name + ".weight"] = self.random.uniform(0.5, 1.5, size).astype(np.float32)

    def attention(self, prefix):
        c = self.config
        heads, hidden = c["num_attention_heads"], c["hidden_size"]
        query_rows = heads * (c["qk_nope_head_dim"] + c["qk_rope_head_dim"])
        bias = c.get("attention_bias", False)
        if c["q_lora_rank"] is None:
            self.linear(prefix + "q_proj", query_rows, hidden, gain=1.7)
        else:
            self.linear(prefix + "q_a_proj", c["q_lora_rank"], hidden, bias=bias)
            self.norm(prefix + "q_a_layernorm", c["q_lora_rank"])
            self.linear(prefix + "q_b_proj", query_rows, c["q_lora_rank"], gain=1.7)
        self.linear(prefix + "kv_a_proj_with_mqa", c["kv_lora_rank"] + c["qk_rope_head_dim"], hidden, 1.6, bias)
        self.norm(prefix + "kv_a_layernorm", c["kv_lora_rank"])
        self.linear(prefix + "kv_b_proj", heads * (c["qk_nope_head_dim"] + c["v_head_dim"]), c["kv_lora_rank"], 1.4)
        self.linear(prefix + "o_proj", hidden, heads * c["v_head_dim"], bias=bias)

    def mlp(self, prefix, width, bias=False):
        hidden = self.config["hidden_size"]
        self.linear(prefix + "gate_proj", width, hidden, bias=bias)
        self.linear(prefix + "up_proj", width, hidden, bias=bias)
        self.linear(prefix + "down_proj", hidden, width, gain=1.5, bias=bias)

    def mixture(self, prefix, mlp_bias):
        c = self.config
        self.linear(prefix + "gate", c["n_routed_experts"], c["hidden_size"], gain=1.3)
        if c["model_type"] in ("deepseek_v3", "deepseek_v32"):
            self.correction_bias(prefix + "gate.", c["n_routed_experts"])
        for expert in range(c["n_routed_experts"]):
            self.mlp(f"{prefix}experts.{expert}.", c["moe_intermediate_size"])
        if c["n_shared_experts"]:
            self.mlp(prefix + "shared_experts.", c["moe_intermediate_size"] * c["n_shared_experts"], mlp_bias)

    def correction_bias(self, prefix, experts):
        bias = self.random.normal(*self.variant.correction_bias, experts)
        self.tensors[prefix + "e_score_correction_bias"] = bias.astype(np.float32)

    def layer(self, index):
        c = self.config
        prefix = f"model.layers.{index}."
        mlp_bias = c.get("mlp_bias", False)
        self.norm(prefix + "input_layernorm", c["hidden_size"])
        self.norm(prefix + "post_attention_layernorm", c["hidden_size"])
        self.attention(prefix + "self_attn.")
        if is_dense(c, index):
            self.mlp(prefix + "mlp.", c["intermediate_size"], mlp_bias)
        else:
            self.mixture(prefix + "mlp.", mlp_bias)

    def prediction_layer(self, index):
        """A multi-token-prediction layer, named as in the published DeepSeek-V3."""
        c = self.config
        prefix = f"model.layers.{index}."
        self.layer(index)
        self.linear(prefix + "embed_tokens", c["vocab_size"], c["hidden_size"])
        self.norm(prefix + "enorm", c["hidden_size"])
        self.norm(prefix + "hnorm", c["hidden_size"])
        self.linear(prefix + "eh_proj", c["hidden_size"], 2 * c["hidden_size"])
        self.norm(prefix + "shared_head.norm", c["hidden_size"])
        self.linear(prefix + "shared_head.head", c["vocab_size"], c["hidden_size"])

    def model(self):
        c = self.config
        tied = c.get("tie_word_embeddings", False)
        embedding_gain = 1.0 if tied else np.sqrt(c["hidden_size"])
        self.linear("model.embed_tokens", c["vocab_size"], c["hidden_size"], embedding_gain)
        if c.get("position_encoding") == "learned":
            self.linear("model.embed_positions", c["max_position_embeddings"], c["hidden_size"], embedding_gain)
        for index in range(c["num_hidden_layers"]):
            self.layer(index)
        for extra in range(self.variant.mtp_layers):
            self.prediction_layer(c["num_hidden_layers"] + extra)
        self.norm("model.norm", c["hidden_size"])
        if not tied:
            self.linear("lm_head", c["vocab_size"], c["hidden_size"])
        return self.tensors


MAKERS = {}  # by model_type, of the families that are not quite WeightMaker


def random_tensors(variant, seed):
    return MAKERS.get(variant.config["model_type"], WeightMaker)(variant, seed).model()
