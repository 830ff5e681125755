"""What the laboratory must measure on small golden checkpoints, in float64: python tools/golden/lab_reference.py

The passes are numpy_reference.py's, the measures are written from their definitions. Nothing is shared with src/lab.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy_reference as reference
from make_goldens import DEFAULT_OUTPUT as CHECKPOINTS

OUTPUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "lab"
IDS = [29, 7, 3, 18, 11, 24, 5, 2, 27, 14, 9, 20, 1, 11, 16, 7, 25, 8, 13, 22]  # 11 stands twice, behind other tokens.
REPEATED = [4, 13]
SHIFT = 16
ENCODINGS = {
    "positions_rope_decoupled": ["none", "integer", "binary", "sinusoidal", "rope-decoupled", "alibi"],
    "positions_sinusoidal": ["sinusoidal"],  # Scales the embedding.
    "positions_learned": ["learned"],
    "simplified_rope_halves": ["none", "rope"],
}
ROTARY = ("rope", "rope-decoupled")


@dataclass
class Head:
    q: np.ndarray  # [tokens, content | rotary], rotated
    k: np.ndarray
    content_scores: np.ndarray  # [queries, keys], scaled
    rotary_scores: np.ndarray
    bias: np.ndarray
    probabilities: np.ndarray
    context: np.ndarray

    @property
    def scores(self):
        return self.content_scores + self.rotary_scores + self.bias


class ObservedModel(reference.NumpyModel):
    """Keeps what its pass computes: `inputs` and `heads` of each layer."""

    def observe(self, ids):
        self.inputs, self.heads = [], []
        self.logits(np.array(ids))
        return self

    def layer(self, index, h):
        self.inputs.append(h)
        return super().layer(index, h)

    def attention(self, prefix, x):
        c, tokens = self.config, len(x)
        nope, scale = c["qk_nope_head_dim"], reference.softmax_scale(c)
        q, k, v = self.queries_keys_values(prefix, x)
        q, k, masked_bias = self.rotated(q), self.rotated(k), self.score_bias(tokens)
        self.heads.append([])
        for h in range(c["num_attention_heads"]):
            content = scale * q[:, h, :nope] @ k[:, h, :nope].T
            rotary = scale * q[:, h, nope:] @ k[:, h, nope:].T
            probabilities = reference.softmax(content + rotary + masked_bias[h])
            bias = np.where(self.visible(tokens), masked_bias[h], 0)
            self.heads[-1].append(Head(q[:, h], k[:, h], content, rotary, bias, probabilities, probabilities @ v[:, h]))
        mixed = np.concatenate([head.context for head in self.heads[-1]], 1)
        return self.linear(prefix + "o_proj", mixed)

    def visible(self, tokens):
        everything = np.ones((tokens, tokens), bool)
        return np.tril(everything) if self.causal else everything


def observe(checkpoint, encoding, causal, first_position=0):
    model = reference.load(CHECKPOINTS / checkpoint, encoding)
    model = ObservedModel(model.config, model.tensors)
    model.causal, model.first_position = causal, first_position
    return model.observe(IDS)


# ---- measures --------------------------------------------------------------------------------------------------


def length(x):
    return np.linalg.norm(x, axis=-1)


def cosine(a, b):
    return (a * b).sum(-1) / (length(a) * length(b))


def correlation(a, b):
    return cosine(a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True))


def spread(scores, visible):
    """Standard deviation of each query's visible scores, of the queries that see two keys."""
    return np.mean([np.std(row[seen]) for row, seen in zip(scores, visible) if seen.sum() >= 2])


def frequency_use(head, config):
    start = config["qk_nope_head_dim"] if config["qk_rope_head_dim"] else 0
    means = []
    for x in (head.q[:, start:], head.k[:, start:]):
        first, second = np.split(x, 2, 1)  # `rotate` puts all first values of the pairs before all second ones.
        means.append(np.hypot(first, second).mean(0))
    return means[0] * means[1]


def measure_head(head, model):
    a, b = head.context[REPEATED]
    p, visible = head.probabilities, model.visible(len(IDS))
    positions = np.arange(len(IDS))
    logarithms = np.log(np.where(p > 0, p, 1))
    result = {
        "cosine": cosine(a, b),
        "l2": length(a - b),
        "largest_difference": abs(a - b).max(),
        "score_std": spread(head.scores, visible),
        "content_score_std": spread(head.content_scores, visible),
        "rotary_score_std": spread(head.rotary_scores, visible),
        "bias_std": spread(head.bias, visible),
        "attention_distance": (p * abs(positions[:, None] - positions)).sum(1).mean(),
        "attention_entropy": -(p * logarithms).sum(1).mean(),
        "contexts": [a, b],
        "last_attention": p[-1],
    }
    if model.config["position_encoding"] in ROTARY:
        result["frequency_use"] = frequency_use(head, model.config)
    return result


def norm_error(plain, model):
    """Of the rotated parts of layer 0."""
    start = model.config["qk_nope_head_dim"] if model.config["qk_rope_head_dim"] else 0
    errors = []
    for before, after in zip(plain.heads[0], model.heads[0]):
        for x, rotated in ((before.q, after.q), (before.k, after.k)):
            errors.append(abs(length(rotated[:, start:]) / length(x[:, start:]) - 1).max())
    return max(errors)


def absorption_error(plain, model):
    """Layer 0: what the scores lose when the keys stay unrotated, in units of their spread."""
    visible, scale = model.visible(len(IDS)), reference.softmax_scale(model.config)
    differences, spreads = [], []
    for before, after in zip(plain.heads[0], model.heads[0]):
        differences.append(abs(after.q @ (after.k - before.k).T * scale)[visible])
        spreads.append(spread(after.scores, visible))
    return np.mean(differences) / np.mean(spreads)


def measure(checkpoint, encoding, causal):
    model = observe(checkpoint, encoding, causal)
    plain = observe(checkpoint, "none", causal)
    shifted = observe(checkpoint, encoding, causal, SHIFT)
    visible = model.visible(len(IDS))
    heads = [[measure_head(head, model) for head in layer] for layer in model.heads]
    shifts = [abs(a.scores - b.scores)[visible] for x, y in zip(model.heads, shifted.heads) for a, b in zip(x, y)]
    largest = max(head["largest_difference"] for layer in heads for head in layer)
    assert largest < 1e-12 or largest > 1e-4, "identical or not must not hang on rounding"
    rotary = encoding in ROTARY
    means = ("cosine", "l2", "score_std", "content_score_std", "rotary_score_std", "bias_std", "attention_distance",
             "attention_entropy")  # fmt: skip
    return {
        "encoding": encoding,
        "mask": "causal" if causal else "bidirectional",
        "identical": bool(largest < 1e-12),
        **{name: np.mean([head[name] for layer in heads for head in layer]) for name in means},
        "norm_inflation": (length(model.inputs[0]) / length(plain.inputs[0])).mean(),
        "pollution_cosine": cosine(model.inputs[0], plain.inputs[0]).mean(),
        "pollution_centered_cosine": correlation(model.inputs[0], plain.inputs[0]).mean(),
        "norm_error": norm_error(plain, model) if rotary else None,
        "shift_error": np.mean(shifts),
        "shift_error_max": np.max(shifts),
        "absorption_error": absorption_error(plain, model) if encoding == "rope" else None,
        "layers": heads,
    }


def plain_numbers(value):
    """For JSON; nine digits, as many as tell all float32 values apart."""
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, np.ndarray)):
        return [plain_numbers(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def main():
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for checkpoint, encodings in ENCODINGS.items():
        rows = [measure(checkpoint, encoding, causal) for encoding in encodings for causal in (False, True)]
        head = {"checkpoint": checkpoint, "ids": IDS, "repeated": REPEATED, "shift": SHIFT}
        lines = ",\n".join(json.dumps(plain_numbers(row)) for row in rows)
        (OUTPUT / f"{checkpoint}.json").write_text(f'{json.dumps(head)[:-1]}, "rows": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
