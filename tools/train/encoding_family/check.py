"""Holds the quick forward against something independent of it, before each training.

rope-decoupled: transformers' DeepSeek-V3. The others: the same formulas written out token by token.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from .architecture import Decoder, create
from .config import model_config

_TOLERANCE = 1e-4
_LENGTH = 48


def _norm(x: Tensor, gain: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6) * gain


def _embedding(weights: dict[str, Tensor], encoding: str, token: int, position: int) -> Tensor:
    x = weights["model.embed_tokens.weight"][token].clone()
    width = len(x)
    if encoding == "sinusoidal":
        x *= math.sqrt(width)
    for k in range(width):
        if encoding == "integer":
            x[k] += position
        elif encoding == "binary":
            x[k] += (position // 2**k) % 2
        elif encoding == "sinusoidal":
            angle = position / 10000 ** ((k - k % 2) / width)
            x[k] += math.cos(angle) if k % 2 else math.sin(angle)
    if encoding == "learned":
        x += weights["model.embed_positions.weight"][position]
    return x


def _attend(x: Tensor, part: dict[str, Tensor], encoding: str, heads: int, size: int) -> Tensor:
    """Causal attention of one sequence without a rotated part, one head and one query at a time."""
    latent = _norm(x @ part["kv_a_proj_with_mqa"].T, part["kv_a_layernorm"])
    query, both = x @ part["q_proj"].T, latent @ part["kv_b_proj"].T
    result = torch.zeros_like(x)
    for i in range(len(x)):
        for h in range(heads):
            key, value = both[: i + 1, 2 * h * size : 2 * (h + 1) * size].chunk(2, -1)
            scores = key @ query[i, h * size : (h + 1) * size] / math.sqrt(size)
            if encoding == "alibi":
                scores = scores - 2 ** (-8 * (h + 1) / heads) * torch.arange(i, -1, -1)
            result[i, h * size : (h + 1) * size] = scores.softmax(0) @ value
    return result @ part["o_proj"].T


def plain_forward(model: Decoder, ids: Tensor) -> Tensor:
    """Logits of one sequence by the definitions."""
    weights, config = dict(model.named_parameters()), model.config
    encoding = config["position_encoding"]
    x = torch.stack([_embedding(weights, encoding, int(token), p) for p, token in enumerate(ids)])
    for layer in range(config["num_hidden_layers"]):
        begin = f"model.layers.{layer}."
        w = {n.removeprefix(begin).removesuffix(".weight"): t for n, t in weights.items() if n.startswith(begin)}
        attention = {n.removeprefix("self_attn."): t for n, t in w.items() if n.startswith("self_attn.")}
        inner = _norm(x, w["input_layernorm"])
        x = x + _attend(inner, attention, encoding, config["num_attention_heads"], config["qk_nope_head_dim"])
        inner = _norm(x, w["post_attention_layernorm"])
        gate = inner @ w["mlp.gate_proj"].T
        x = x + (gate * torch.sigmoid(gate) * (inner @ w["mlp.up_proj"].T)) @ w["mlp.down_proj"].T
    return _norm(x, weights["model.norm.weight"]) @ weights["model.embed_tokens.weight"].T


def _transformers_forward(model: Decoder, ids: Tensor) -> Tensor:
    config = dict(model.config)
    theirs = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), dtype=torch.float32).eval()
    state = {**model.state_dict(), "lm_head.weight": model.model.embed_tokens.weight}
    theirs.load_state_dict(state)
    return theirs(ids[None], use_cache=False).logits[0]


@torch.no_grad()
def worst_difference(encoding: str) -> float:
    """The largest difference of two logits; raises if it is too large."""
    model = create(model_config(encoding), 0)
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        weight.add_(torch.randn(weight.shape, generator=generator) * 0.1)
    ids = torch.randint(0, model.config["vocab_size"], (_LENGTH,), generator=generator)
    reference = _transformers_forward if encoding == "rope-decoupled" else plain_forward
    worst = (model(ids[None])[0] - reference(model, ids)).abs().max().item()
    if not worst < _TOLERANCE:
        raise AssertionError(f"{encoding}: the quick forward differs by {worst}")
    return worst
