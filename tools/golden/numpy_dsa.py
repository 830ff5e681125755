"""DeepSeek sparse attention for numpy_reference.py, from DeepSeek's report and published Python.

While it runs it records the smallest distance between the scores of the worst selected and the best rejected token:
where that is tiny, rounding alone could change the selection.
"""

import numpy as np
from numpy_reference import LATENT_EPS, MODELS, NumpyModel, rope_frequencies, rotate

KEY_NORM_EPS = 1e-6


def layer_norm(x, weight, bias):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + KEY_NORM_EPS) * weight + bias


class SparseModel(NumpyModel):
    def __init__(self, config, tensors):
        # The attention turns neighbouring pairs whatever the config says.
        super().__init__({**config, "rope_interleave": True}, tensors)
        self.index_margin = np.inf

    def halves_rotated(self, x):
        """The first values of each head, in pairs (i, i + d/2), where the encoding rotates."""
        c, width = self.config, self.config["qk_rope_head_dim"]
        if c["position_encoding"] not in ("rope", "rope-decoupled") or width == 0:
            return x
        halves = {**c, "rope_interleave": False}
        turned = rotate(x[..., :width], halves, self.positions(len(x)), *rope_frequencies(c, len(x)))
        return np.concatenate([turned, x[..., width:]], -1)

    def index_scores(self, prefix, x):
        """[queries, keys]"""
        c, index = self.config, prefix + "indexer."
        heads = c["index_n_heads"]
        latent = self.norm(prefix + "q_a_layernorm", self.linear(prefix + "q_a_proj", x), LATENT_EPS)
        q = self.halves_rotated(self.linear(index + "wq_b", latent).reshape(len(x), heads, -1))
        k_norm = self.tensors[index + "k_norm.weight"], self.tensors[index + "k_norm.bias"]
        k = self.halves_rotated(layer_norm(self.linear(index + "wk", x), *k_norm))
        products = np.einsum("thd,sd->ths", q, k) * c["index_head_dim"] ** -0.5
        weights = self.linear(index + "weights_proj", x) * heads**-0.5
        return np.einsum("th,ths->ts", weights, self.rectified(products))

    def rectified(self, products):
        return np.maximum(products, 0)

    def selected(self, scores):
        """Mask of the `index_topk` largest entries of each row among those it sees."""
        keep = np.tril(np.ones(scores.shape, bool)) if self.causal else np.ones(scores.shape, bool)
        for row, seen in enumerate(keep.copy()):
            places = np.flatnonzero(seen)
            order = places[np.argsort(-scores[row, places], kind="stable")]
            worst, rest = order[: self.config["index_topk"]], order[self.config["index_topk"] :]
            if len(rest):
                self.index_margin = min(self.index_margin, scores[row, worst[-1]] - scores[row, rest[0]])
            keep[row, rest] = False
        return keep

    def attention(self, prefix, x):
        self.hidden = np.where(self.selected(self.index_scores(prefix, x)), 0.0, -np.inf)
        return super().attention(prefix, x)

    def score_bias(self, tokens):
        return super().score_bias(tokens) + self.hidden


MODELS["deepseek_v32"] = SparseModel
