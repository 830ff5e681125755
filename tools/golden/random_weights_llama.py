"""Random float32 tensors of the Llama family and of GPT-2, as random_weights.py makes them."""

import numpy as np
from random_weights import WeightMaker

LLAMA_TYPES = ("llama", "mistral", "ministral", "qwen2", "qwen3")


class LlamaWeightMaker(WeightMaker):
    def attention(self, prefix):
        c = self.config
        heads, hidden = c["num_attention_heads"], c["hidden_size"]
        shared = c.get("num_key_value_heads") or heads
        dim = c.get("head_dim") or hidden // heads
        all_biases = c["model_type"] in ("llama", "qwen3") and c.get("attention_bias", False)
        bias = all_biases or c["model_type"] == "qwen2"
        self.linear(prefix + "q_proj", heads * dim, hidden, 1.5, bias)
        self.linear(prefix + "k_proj", shared * dim, hidden, 1.5, bias)
        self.linear(prefix + "v_proj", shared * dim, hidden, 1.4, bias)
        self.linear(prefix + "o_proj", hidden, heads * dim, bias=all_biases)
        if c["model_type"] == "qwen3":
            self.norm(prefix + "q_norm", dim)
            self.norm(prefix + "k_norm", dim)

    def layer(self, index):
        c = self.config
        prefix = f"model.layers.{index}."
        self.norm(prefix + "input_layernorm", c["hidden_size"])
        self.norm(prefix + "post_attention_layernorm", c["hidden_size"])
        self.attention(prefix + "self_attn.")
        self.mlp(prefix + "mlp.", c["intermediate_size"], c["model_type"] == "llama" and c.get("mlp_bias", False))


class Gpt2WeightMaker(WeightMaker):
    def conv1d(self, name, inputs, outputs, gain=1.0):
        """[in, out], unlike a linear layer's weight."""
        self.linear(name, outputs, inputs, gain, bias=True)
        if self.config.get("conv1d_layout", True):
            self.tensors[name + ".weight"] = np.ascontiguousarray(self.tensors[name + ".weight"].T)

    def layer_norm(self, name, size):
        self.norm(name, size)
        self.tensors[name + ".bias"] = self.random.normal(0.0, 0.3, size).astype(np.float32)

    def model(self):
        c = self.config
        width, published = c["n_embd"], self.variant.name == "gpt2_published"
        root = "" if published else "transformer."
        tied = c.get("tie_word_embeddings", True)
        gain = 1.0 if tied else np.sqrt(width)
        self.linear(root + "wte", c["vocab_size"], width, gain)
        self.linear(root + "wpe", c["n_positions"], width, gain)
        for index in range(c["n_layer"]):
            prefix = f"{root}h.{index}."
            self.layer_norm(prefix + "ln_1", width)
            self.conv1d(prefix + "attn.c_attn", width, 3 * width, 1.5)
            self.conv1d(prefix + "attn.c_proj", width, width)
            self.layer_norm(prefix + "ln_2", width)
            inner = c.get("n_inner") or 4 * width
            self.conv1d(prefix + "mlp.c_fc", width, inner)
            self.conv1d(prefix + "mlp.c_proj", inner, width, 1.5)
            if published:
                self.tensors[prefix + "attn.bias"] = np.tril(np.ones((1, 1, 8, 8), np.float32))
                self.tensors[prefix + "attn.masked_bias"] = np.array(-1e4, np.float32)
        self.layer_norm(root + "ln_f", width)
        if not tied:
            self.linear("lm_head", c["vocab_size"], width)
        return self.tensors


def random_llama_tensors(variant, seed):
    maker = Gpt2WeightMaker if variant.config["model_type"] == "gpt2" else LlamaWeightMaker
    return maker(variant, seed).model()
