"""An independent float64 forward pass of DeepSeek-V2/V3, written from the papers and our notes.

It shares no code with transformers and reads config.json and the safetensors files by itself. While it runs, it
records the smallest distance between a chosen and a rejected expert (or group): where that is tiny, rounding alone
could change the routing and a reference would be worthless.
"""

import json
from math import ceil, floor, log, pi, sqrt

import numpy as np
from numpy_encodings import added_vectors, alibi_bias
from safetensors_numpy import read_checkpoint

LATENT_EPS = 1e-6  # of q_a_layernorm and kv_a_layernorm, whatever rms_norm_eps says


def read_config(directory):
    config = json.loads((directory / "config.json").read_text())
    defaults = dict(num_hidden_layers=None, rms_norm_eps=1e-6, routed_scaling_factor=1.0, topk_method="greedy",
                    norm_topk_prob=True, rope_interleave=True, tie_word_embeddings=False,
                    position_encoding="rope-decoupled", scale_embedding=False)  # fmt: skip
    if config["model_type"] == "deepseek_v32":
        defaults["routed_scaling_factor"] = 2.5
    config = {**defaults, **config}
    rope = dict(config.get("rope_scaling") or config.get("rope_parameters") or {})
    rope.setdefault("rope_theta", config.get("rope_theta", 10000.0))
    rope.setdefault("rope_type", rope.get("type", "default"))
    rope.setdefault("original_max_position_embeddings", config.get("max_position_embeddings"))
    config["rope"] = rope
    return config


def rms_norm(x, weight, eps):
    return weight * x / np.sqrt((x * x).mean(-1, keepdims=True) + eps)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


# ---- rotary positions ------------------------------------------------------------------------------------------


def yarn_magnitude(scale, weight):
    return 1.0 if scale <= 1 else 0.1 * weight * log(scale) + 1.0


def yarn_frequencies(rope, plain, dim):
    factor, original, theta = rope["factor"], rope["original_max_position_embeddings"], rope["rope_theta"]

    def bound(rotations):
        return dim * log(original / (rotations * 2 * pi)) / (2 * log(theta))

    low, high = bound(rope.get("beta_fast") or 32), bound(rope.get("beta_slow") or 1)
    if rope.get("truncate", True):
        low, high = floor(low), ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    high += 0.001 if low == high else 0
    ramp = np.clip((np.arange(dim // 2) - low) / (high - low), 0, 1)
    return plain / factor * ramp + plain * (1 - ramp)


def yarn_attention_factor(rope):
    if rope.get("attention_factor") is not None:
        return rope["attention_factor"]
    mscale, all_dim = rope.get("mscale"), rope.get("mscale_all_dim")
    if mscale and all_dim:
        return yarn_magnitude(rope["factor"], mscale) / yarn_magnitude(rope["factor"], all_dim)
    return yarn_magnitude(rope["factor"], 1)


def llama3_frequencies(rope, plain):
    low, high, original = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    smooth = np.clip((original * plain / (2 * pi) - low) / (high - low), 0, 1)
    return plain * ((1 - smooth) / rope["factor"] + smooth)


def longrope(config, plain, length):
    rope = config["rope"]
    original = rope["original_max_position_embeddings"]
    factor = rope.get("factor") or config["max_position_embeddings"] / original
    scale = 1.0 if factor <= 1 else sqrt(1 + log(factor) / log(original))
    kind = "long_factor" if length > original else "short_factor"
    return plain / np.array(rope[kind]), rope.get("attention_factor") or scale


def rotary_dim(config):
    """Without a rotary part of its own a head is rotated whole."""
    return config["qk_rope_head_dim"] or config["qk_nope_head_dim"]


def rope_frequencies(config, length):
    """Angles per position for each rotary pair, and the factor on cos and sin."""
    rope, dim = config["rope"], rotary_dim(config)
    theta, kind = float(rope["rope_theta"]), rope["rope_type"]
    exponents = np.arange(0, dim, 2) / dim
    plain = theta**-exponents
    if kind == "default":
        return plain, 1.0
    if kind == "linear":
        return plain / rope["factor"], 1.0
    if kind == "dynamic":
        longest = config["max_position_embeddings"]
        stretch = rope["factor"] * max(length, longest) / longest - (rope["factor"] - 1)
        return (theta * stretch ** (dim / (dim - 2))) ** -exponents, 1.0
    if kind == "yarn":
        return yarn_frequencies(rope, plain, dim), yarn_attention_factor(rope)
    if kind == "llama3":
        return llama3_frequencies(rope, plain), 1.0
    if kind == "longrope":
        return longrope(config, plain, length)
    raise ValueError(f"unknown rope type {kind}")


def rotate(x, config, positions, frequencies, factor):
    """x: [tokens, ..., dim]. DeepSeek rotates neighbouring pairs, unless rope_interleave is false."""
    angles = positions[:, None] * frequencies
    angles = angles.reshape(len(x), *[1] * (x.ndim - 2), -1)
    cos, sin = np.cos(angles) * factor, np.sin(angles) * factor
    if config["model_type"] == "deepseek_v2" or config["rope_interleave"]:
        a, b = x[..., 0::2], x[..., 1::2]
    else:
        a, b = np.split(x, 2, -1)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def softmax_scale(config):
    scale = (config["qk_nope_head_dim"] + config["qk_rope_head_dim"]) ** -0.5
    rope = config["rope"]
    if rope["rope_type"] != "default" and rope.get("mscale_all_dim"):
        scale *= yarn_magnitude(rope["factor"], rope["mscale_all_dim"]) ** 2
    return scale


# ---- the model -------------------------------------------------------------------------------------------------


def is_dense(config, index):
    types = config.get("mlp_layer_types")
    return types[index] == "dense" if types else index < config.get("first_k_dense_replace", 3)


class NumpyModel:
    first_position, causal = 0, True

    def __init__(self, config, tensors):
        self.config, self.tensors = config, tensors
        self.routing_margin = np.inf

    def positions(self, tokens):
        return self.first_position + np.arange(tokens)

    def linear(self, name, x):
        return x @ self.tensors[name + ".weight"].T + self.tensors.get(name + ".bias", 0.0)

    def norm(self, name, x, eps):
        return rms_norm(x, self.tensors[name + ".weight"], eps)

    def queries(self, prefix, x):
        if self.config.get("q_lora_rank") is None:
            return self.linear(prefix + "q_proj", x)
        latent = self.norm(prefix + "q_a_layernorm", self.linear(prefix + "q_a_proj", x), LATENT_EPS)
        return self.linear(prefix + "q_b_proj", latent)

    def queries_keys_values(self, prefix, x):
        """Decompressed: [tokens, heads, content | rotary part] twice, and [tokens, heads, values]."""
        c, tokens = self.config, len(x)
        heads, nope, rank = c["num_attention_heads"], c["qk_nope_head_dim"], c["kv_lora_rank"]
        q = self.queries(prefix, x).reshape(tokens, heads, -1)
        compressed = self.linear(prefix + "kv_a_proj_with_mqa", x)
        latent = self.norm(prefix + "kv_a_layernorm", compressed[:, :rank], LATENT_EPS)
        kv = self.linear(prefix + "kv_b_proj", latent).reshape(tokens, heads, -1)
        shared = np.repeat(compressed[:, None, rank:], heads, 1)
        return q, np.concatenate([kv[..., :nope], shared], -1), kv[..., nope:]

    def rotated(self, x):
        """Queries or keys, where the encoding rotates."""
        c, tokens = self.config, len(x)
        if c["position_encoding"] not in ("rope", "rope-decoupled"):
            return x
        start = c["qk_nope_head_dim"] if c["qk_rope_head_dim"] else 0
        turned = rotate(x[..., start:], c, self.positions(tokens), *rope_frequencies(c, tokens))
        return np.concatenate([x[..., :start], turned], -1)

    def score_bias(self, tokens):
        """[heads, queries, keys]: the encoding's, and minus infinity for hidden keys."""
        c = self.config
        bias = np.zeros((c["num_attention_heads"], tokens, tokens))
        if c["position_encoding"] == "alibi":
            bias += alibi_bias(c["num_attention_heads"], self.positions(tokens))
        return bias + np.triu(np.full((tokens, tokens), -np.inf), 1) if self.causal else bias

    def attention(self, prefix, x):
        q, k, v = self.queries_keys_values(prefix, x)
        scores = np.einsum("thd,shd->hts", self.rotated(q), self.rotated(k)) * softmax_scale(self.config)
        mixed = np.einsum("hts,shd->thd", softmax(scores + self.score_bias(len(x))), v)
        return self.linear(prefix + "o_proj", mixed.reshape(len(x), -1))

    def best(self, scores, count):
        """Mask of the `count` largest entries of each row."""
        order = np.argsort(-scores, axis=-1, kind="stable")
        mask = np.zeros(scores.shape, bool)
        np.put_along_axis(mask, order[:, :count], True, -1)
        if count < scores.shape[-1]:
            ends = np.take_along_axis(scores, order[:, count - 1 : count + 1], -1)
            self.routing_margin = min(self.routing_margin, (ends[:, 0] - ends[:, 1]).min())
        return mask

    def keep_groups(self, scores, group_scores, masked):
        c = self.config
        kept = self.best(group_scores, c["topk_group"])
        return np.where(kept.repeat(scores.shape[-1] // c["n_group"], -1), scores, masked)

    def route(self, prefix, x):
        """Dense [tokens, experts] matrix of expert weights, zero for the experts that were not chosen."""
        c, logits = self.config, self.linear(prefix + "gate", x)
        if c["model_type"] == "deepseek_v2":
            scores = softmax(logits)
            if c["topk_method"] == "group_limited_greedy":
                scores = self.keep_groups(scores, scores.reshape(len(x), c["n_group"], -1).max(-1), 0.0)
            weights = scores * self.best(scores, c["num_experts_per_tok"])
        else:
            scores = sigmoid(logits)
            choice = scores + self.tensors[prefix + "gate.e_score_correction_bias"]
            top2 = np.sort(choice.reshape(len(x), c["n_group"], -1), -1)[..., -2:].sum(-1)
            choice = self.keep_groups(choice, top2, -np.inf)
            weights = scores * self.best(choice, c["num_experts_per_tok"])
            if c["norm_topk_prob"]:
                weights /= weights.sum(-1, keepdims=True) + 1e-20
        return weights * c["routed_scaling_factor"]

    def mlp(self, prefix, x):
        gated = silu(self.linear(prefix + "gate_proj", x)) * self.linear(prefix + "up_proj", x)
        return self.linear(prefix + "down_proj", gated)

    def expert(self, prefix, index, x):
        fused = self.tensors.get(prefix + "experts.gate_up_proj")
        if fused is None:
            return self.mlp(f"{prefix}experts.{index}.", x)
        gate, up = np.split(x @ fused[index].T, 2, -1)
        return (silu(gate) * up) @ self.tensors[prefix + "experts.down_proj"][index].T

    def mixture(self, prefix, x):
        weights = self.route(prefix, x)
        total = sum(weights[:, [e]] * self.expert(prefix, e, x) for e in range(weights.shape[1]))
        return total + self.mlp(prefix + "shared_experts.", x) if self.config["n_shared_experts"] else total

    def layer(self, index, h):
        prefix, eps = f"model.layers.{index}.", self.config["rms_norm_eps"]
        h = h + self.attention(prefix + "self_attn.", self.norm(prefix + "input_layernorm", h, eps))
        x = self.norm(prefix + "post_attention_layernorm", h, eps)
        dense = is_dense(self.config, index)
        return h + (self.mlp(prefix + "mlp.", x) if dense else self.mixture(prefix + "mlp.", x))

    def position_vectors(self, tokens):
        c, table = self.config, self.tensors.get("model.embed_positions.weight")
        return added_vectors(c["position_encoding"], self.positions(tokens), c["hidden_size"], table)

    def embed(self, ids):
        c = self.config
        h = self.tensors["model.embed_tokens.weight"][ids]
        if c["scale_embedding"]:
            h = h * sqrt(c["hidden_size"])
        return h + self.position_vectors(len(ids))

    def logits(self, ids):
        h = self.embed(ids)
        for index in range(self.config["num_hidden_layers"]):
            h = self.layer(index, h)
        head = "model.embed_tokens" if self.config["tie_word_embeddings"] else "lm_head"
        return self.linear(head, self.norm("model.norm", h, self.config["rms_norm_eps"]))


MODELS = {}  # by model_type, of the families that are not quite NumpyModel


def load(directory, encoding=None):
    """`encoding`: instead of the checkpoint's own. `written` are the keys that config.json itself has: read_config
    fills in DeepSeek's defaults."""
    config = read_config(directory)
    config["written"] = set(json.loads((directory / "config.json").read_text()))
    if encoding is not None:
        config["position_encoding"] = encoding
        config["written"].add("position_encoding")
    return MODELS.get(config["model_type"], NumpyModel)(config, read_checkpoint(directory))
