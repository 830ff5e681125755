"""The shapes of tools/random_checkpoint.py: config.json of published models, and the tensors that go with one.

The numbers are those of the published config.json files: deepseek-ai/DeepSeek-V2-Lite, moonshotai/Moonlight-16B-A3B,
openbmb/MiniCPM3-4B, HuggingFaceTB/SmolLM2-135M, meta-llama/Llama-3.2-1B. `mla-toy` is ours: the smallest model with latent
attention whose matrices still have whole blocks of every quantized type.
"""

import math
from dataclasses import dataclass

COMMON = {"hidden_act": "silu", "attention_bias": False, "attention_dropout": 0.0, "use_cache": True}

DEEPSEEK_V2_LITE = {
    "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "vocab_size": 102400, "hidden_size": 2048,
    "intermediate_size": 10944, "moe_intermediate_size": 1408, "num_hidden_layers": 27, "num_attention_heads": 16,
    "num_key_value_heads": 16, "q_lora_rank": None, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
    "v_head_dim": 128, "n_routed_experts": 64, "num_experts_per_tok": 6, "n_shared_experts": 2, "first_k_dense_replace": 1,
    "moe_layer_freq": 1, "n_group": 1, "topk_group": 1, "topk_method": "greedy", "scoring_func": "softmax",
    "norm_topk_prob": False, "routed_scaling_factor": 1.0, "max_position_embeddings": 163840, "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0, "tie_word_embeddings": False,
    "rope_scaling": {"type": "yarn", "factor": 40.0, "original_max_position_embeddings": 4096, "beta_fast": 32.0,
                     "beta_slow": 1.0, "mscale": 0.707, "mscale_all_dim": 0.707},
}  # fmt: skip

MOONLIGHT_16B = {
    "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "vocab_size": 163840, "hidden_size": 2048,
    "intermediate_size": 11264, "moe_intermediate_size": 1408, "num_hidden_layers": 27, "num_attention_heads": 16,
    "num_key_value_heads": 16, "q_lora_rank": None, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
    "v_head_dim": 128, "n_routed_experts": 64, "num_experts_per_tok": 6, "n_shared_experts": 2, "first_k_dense_replace": 1,
    "moe_layer_freq": 1, "n_group": 1, "topk_group": 1, "topk_method": "noaux_tc", "scoring_func": "sigmoid",
    "norm_topk_prob": True, "routed_scaling_factor": 2.446, "num_nextn_predict_layers": 0, "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5, "rope_theta": 50000.0, "rope_scaling": None, "tie_word_embeddings": False,
}  # fmt: skip

MINICPM3_FACTORS = [
    1.0591234137867171, 1.1241891283591912, 1.2596935748670968, 1.5380380402321725, 2.093982484148734, 3.1446935121267696,
    4.937952647693647, 7.524541999994549, 10.475458000005451, 13.062047352306353, 14.85530648787323, 15.906017515851266,
    16.461961959767827, 16.740306425132903, 16.87581087164081, 16.940876586213285,
]  # fmt: skip

MINICPM3_4B = {
    "architectures": ["MiniCPM3ForCausalLM"], "model_type": "minicpm3", "vocab_size": 73448, "hidden_size": 2560,
    "intermediate_size": 6400, "num_hidden_layers": 62, "num_attention_heads": 40, "num_key_value_heads": 40,
    "q_lora_rank": 768, "kv_lora_rank": 256, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32, "v_head_dim": 64,
    "scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 256, "max_position_embeddings": 32768, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0, "tie_word_embeddings": True,
    "rope_scaling": {"type": "longrope", "long_factor": MINICPM3_FACTORS, "short_factor": MINICPM3_FACTORS,
                     "original_max_position_embeddings": 32768},
}  # fmt: skip

SMOLLM2_135M = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 49152, "hidden_size": 576,
    "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64,
    "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 100000.0, "rope_scaling": None, "mlp_bias": False,
    "tie_word_embeddings": True,
}  # fmt: skip

LLAMA_32_1B = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128256, "hidden_size": 2048,
    "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64,
    "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "mlp_bias": False,
    "tie_word_embeddings": True,
    "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 8192},
}  # fmt: skip

MLA_TOY = {
    "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "vocab_size": 4096, "hidden_size": 256,
    "intermediate_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 8,
    "q_lora_rank": None, "kv_lora_rank": 128, "qk_nope_head_dim": 32, "qk_rope_head_dim": 32, "v_head_dim": 32,
    "first_k_dense_replace": 4, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
    "rope_scaling": None, "tie_word_embeddings": False,
}  # fmt: skip

SHAPES = {
    "deepseek-v2-lite": DEEPSEEK_V2_LITE,
    "moonlight-16b": MOONLIGHT_16B,
    "minicpm3-4b": MINICPM3_4B,
    "smollm2-135m": SMOLLM2_135M,
    "llama-3.2-1b": LLAMA_32_1B,
    "mla-toy": MLA_TOY,
}

# The standard deviation of the logits, roughly: enough that a token stands out, as in a trained model. (MiniCPM3 divides
# them by ten; larger embeddings, which are its output head too, would make the last token its own successor.)
LOGIT_DEVIATION = 2.0

SMALLEST_VOCABULARY = 258


@dataclass
class Tensor:
    """Normally distributed values. `shape`: outermost dimension first."""

    name: str
    shape: tuple
    deviation: float
    mean: float = 0.0
    values: list = None  # What it holds, where that is not random.

    @property
    def elements(self):
        return math.prod(self.shape)


def config_of(shape, layers=None, vocabulary=None):
    """config.json of a shape, with fewer layers or another vocabulary."""
    config = COMMON | SHAPES[shape]
    if layers is not None:
        if not 1 <= layers <= config["num_hidden_layers"]:
            raise ValueError(f"--layers: found {layers}, expected 1 to {config['num_hidden_layers']} for {shape}")
        if config.get("first_k_dense_replace") == config["num_hidden_layers"]:
            config["first_k_dense_replace"] = layers
        config["num_hidden_layers"] = layers
    if vocabulary is not None:
        if vocabulary < SMALLEST_VOCABULARY:
            raise ValueError(
                f"--vocab: found {vocabulary}, expected at least {SMALLEST_VOCABULARY}: the bytes and two markers"
            )
        config["vocab_size"] = vocabulary
    config["bos_token_id"] = config["vocab_size"] - 2
    config["eos_token_id"] = config["vocab_size"] - 1
    return config


def dense_layers(config):
    """How many layers, from the first on, have no experts."""
    return min(config.get("first_k_dense_replace", config["num_hidden_layers"]), config["num_hidden_layers"])


def has_latent(config):
    return "kv_lora_rank" in config


class Lister:
    def __init__(self, config):
        self.config = config
        self.tensors = []

    def matrix(self, name, rows, cols, gain=1.0):
        """Outputs have the deviation of the inputs, times `gain`."""
        self.tensors.append(Tensor(name + ".weight", (rows, cols), gain / math.sqrt(cols)))

    def norm(self, name, size):
        self.tensors.append(Tensor(name + ".weight", (size,), 0.05, mean=1.0))

    def feed_forward(self, stem, width):
        hidden = self.config["hidden_size"]
        self.matrix(stem + "gate_proj", width, hidden)
        self.matrix(stem + "up_proj", width, hidden)
        self.matrix(stem + "down_proj", hidden, width)

    def latent_attention(self, stem):
        config = self.config
        hidden, heads, latent = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
        nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
        query = config["q_lora_rank"]
        if query is None:
            self.matrix(stem + "q_proj", heads * (nope + rope), hidden)
        else:
            self.matrix(stem + "q_a_proj", query, hidden)
            self.norm(stem + "q_a_layernorm", query)
            self.matrix(stem + "q_b_proj", heads * (nope + rope), query)
        self.matrix(stem + "kv_a_proj_with_mqa", latent + rope, hidden)
        self.norm(stem + "kv_a_layernorm", latent)
        self.matrix(stem + "kv_b_proj", heads * (nope + value), latent)
        self.matrix(stem + "o_proj", hidden, heads * value)

    def grouped_attention(self, stem):
        config = self.config
        hidden, size = config["hidden_size"], config["head_dim"]
        self.matrix(stem + "q_proj", config["num_attention_heads"] * size, hidden)
        for name in ("k_proj", "v_proj"):
            self.matrix(stem + name, config["num_key_value_heads"] * size, hidden)
        self.matrix(stem + "o_proj", hidden, config["num_attention_heads"] * size)

    def experts(self, stem):
        config = self.config
        count, width = config["n_routed_experts"], config["moe_intermediate_size"]
        self.matrix(stem + "gate", count, config["hidden_size"], gain=2.0)
        if config["topk_method"] == "noaux_tc":
            self.tensors.append(Tensor(stem + "gate.e_score_correction_bias", (count,), 0.02))
        for expert in range(count):
            self.feed_forward(f"{stem}experts.{expert}.", width)
        self.feed_forward(stem + "shared_experts.", width * config["n_shared_experts"])

    def all(self):
        config = self.config
        hidden = config["hidden_size"]
        self.matrix("model.embed_tokens", config["vocab_size"], hidden, gain=LOGIT_DEVIATION)
        for layer in range(config["num_hidden_layers"]):
            stem = f"model.layers.{layer}."
            self.norm(stem + "input_layernorm", hidden)
            (self.latent_attention if has_latent(config) else self.grouped_attention)(stem + "self_attn.")
            self.norm(stem + "post_attention_layernorm", hidden)
            if layer < dense_layers(config):
                self.feed_forward(stem + "mlp.", config["intermediate_size"])
            else:
                self.experts(stem + "mlp.")
        self.norm("model.norm", hidden)
        if not config["tie_word_embeddings"]:
            self.matrix("lm_head", config["vocab_size"], hidden, gain=LOGIT_DEVIATION)
        return self.tensors


def folder_tensors(config):
    """The tensors under their published names."""
    return Lister(config).all()
