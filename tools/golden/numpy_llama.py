"""The Llama family in float64, from the papers: grouped-query attention, sliding windows, norms over heads."""

import numpy as np
from numpy_reference import NumpyModel, rms_norm, rope_frequencies


class LlamaModel(NumpyModel):
    """`config` as the families' files spell it; what is absent or null is filled in here."""

    def __init__(self, config, tensors):
        heads = config["num_attention_heads"]
        dim = config.get("head_dim") or config["hidden_size"] // heads
        own = {"position_encoding": "rope", "rope_interleave": False}
        asked = {key: value for key, value in config.items() if key in config["written"]}
        derived = dict(head_dim=dim, num_key_value_heads=config.get("num_key_value_heads") or heads,
                       qk_nope_head_dim=dim, qk_rope_head_dim=0)  # fmt: skip
        super().__init__({**config, **own, **asked, **derived}, tensors)

    def window(self, index):
        """How many keys a row of the layer sees, itself included; None: all before it."""
        c = self.config
        mistral = c["model_type"] in ("mistral", "ministral")
        if not mistral and (c["model_type"] not in ("qwen2", "qwen3") or not c["use_sliding_window"]):
            return None
        types = c.get("layer_types")
        slides = types[index] == "sliding_attention" if types else mistral or index >= c["max_window_layers"]
        return c["sliding_window"] if slides else None

    def heads(self, prefix, name, x):
        y = self.linear(prefix + name + "_proj", x).reshape(len(x), -1, self.config["head_dim"])
        norm = self.tensors.get(f"{prefix}{name}_norm.weight")
        return y if norm is None else rms_norm(y, norm, self.config["rms_norm_eps"])

    def turned(self, x):
        c, tokens = self.config, len(x)
        if c["position_encoding"] != "rope":
            return x
        width = c["qk_nope_head_dim"]
        frequencies, factor = rope_frequencies(c, tokens)
        angles = (self.positions(tokens)[:, None] * frequencies)[:, None]
        cos, sin = np.cos(angles) * factor, np.sin(angles) * factor
        first, second = (slice(0, width, 2), slice(1, width, 2)) if c["rope_interleave"] else (
            slice(0, width // 2), slice(width // 2, width))  # fmt: skip
        result = x.copy()
        result[..., first] = x[..., first] * cos - x[..., second] * sin
        result[..., second] = x[..., second] * cos + x[..., first] * sin
        return result

    def shared(self, x):
        """The key-value head of each query head."""
        return np.repeat(x, self.config["num_attention_heads"] // self.config["num_key_value_heads"], 1)

    def softmax_scale(self):
        return self.config["head_dim"] ** -0.5

    def attention(self, prefix, x):
        tokens = len(x)
        q, k, v = (self.heads(prefix, name, x) for name in "qkv")
        k, v = self.shared(self.turned(k)), self.shared(v)
        scores = np.einsum("thd,shd->hts", self.turned(q), k) * self.softmax_scale() + self.score_bias(tokens)
        window = self.window(int(prefix.split(".")[2]))
        if window is not None:
            scores += np.tril(np.full((tokens, tokens), -np.inf), -window)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = np.einsum("hts,shd->thd", scores / scores.sum(-1, keepdims=True), v)
        return self.linear(prefix + "o_proj", mixed.reshape(tokens, -1))

    def layer(self, index, h):
        prefix, eps = f"model.layers.{index}.", self.config["rms_norm_eps"]
        h = h + self.attention(prefix + "self_attn.", self.norm(prefix + "input_layernorm", h, eps))
        return h + self.mlp(prefix + "mlp.", self.norm(prefix + "post_attention_layernorm", h, eps))
