"""GPT-2 in float64 (Radford et al. 2019), from its published files."""

from math import erf, pi, sqrt

import numpy as np
from numpy_encodings import added_vectors, alibi_bias
from numpy_reference import rope_frequencies


def gelu_tanh(x):
    return x / 2 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: x / 2 * (1 + np.vectorize(erf)(x / sqrt(2))),
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
}


class Gpt2Model:
    def __init__(self, config, tensors):
        defaults = dict(activation_function="gelu_new", layer_norm_epsilon=1e-5, scale_attn_weights=True,
                        scale_attn_by_inverse_layer_idx=False, conv1d_layout=True, n_inner=None)  # fmt: skip
        asked = {key: value for key, value in config.items() if key in config["written"]}
        encoding = asked.get("position_encoding", "learned")
        head = config["n_embd"] // config["n_head"]
        self.config = {**config, **defaults, **asked, "position_encoding": encoding, "qk_rope_head_dim": head}
        self.tensors = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
        self.routing_margin = np.inf

    def norm(self, name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + self.config["layer_norm_epsilon"])
        return x * self.tensors[name + ".weight"] + self.tensors[name + ".bias"]

    def linear(self, name, x):
        weight = self.tensors[name + ".weight"]
        return x @ (weight if self.config["conv1d_layout"] else weight.T) + self.tensors[name + ".bias"]

    def turned(self, x):
        if self.config["position_encoding"] != "rope":
            return x
        angles = (np.arange(len(x))[:, None] * rope_frequencies(self.config, len(x))[0])[:, None]
        a, b = np.split(x, 2, -1)
        return np.concatenate([a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)], -1)

    def attention(self, index, x):
        c, tokens = self.config, len(x)
        heads = np.split(self.linear(f"h.{index}.attn.c_attn", x), 3, -1)
        q, k, v = (part.reshape(tokens, c["n_head"], -1) for part in heads)
        scores = np.einsum("thd,shd->hts", self.turned(q), self.turned(k))
        if c["scale_attn_weights"]:
            scores /= sqrt(q.shape[-1])
        if c["scale_attn_by_inverse_layer_idx"]:
            scores /= index + 1
        if c["position_encoding"] == "alibi":
            scores += alibi_bias(c["n_head"], np.arange(tokens))
        scores = np.exp(scores - scores.max(-1, keepdims=True)) * np.tri(tokens)
        mixed = np.einsum("hts,shd->thd", scores / scores.sum(-1, keepdims=True), v)
        return self.linear(f"h.{index}.attn.c_proj", mixed.reshape(tokens, -1))

    def logits(self, ids):
        c = self.config
        table = self.tensors["wpe.weight"]
        h = self.tensors["wte.weight"][ids]
        h = h + added_vectors(c["position_encoding"], np.arange(len(ids)), c["n_embd"], table)
        for index in range(c["n_layer"]):
            h = h + self.attention(index, self.norm(f"h.{index}.ln_1", h))
            wide = self.linear(f"h.{index}.mlp.c_fc", self.norm(f"h.{index}.ln_2", h))
            h = h + self.linear(f"h.{index}.mlp.c_proj", ACTIVATIONS[c["activation_function"]](wide))
        head = self.tensors.get("lm_head.weight", self.tensors["wte.weight"])
        return self.norm("ln_f", h) @ head.T
