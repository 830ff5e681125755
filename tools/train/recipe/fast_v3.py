"""A quick training forward for transformers' DeepseekV3ForCausalLM on a CPU.

It reads the parameters of an ordinary transformers model and computes the same
function; only the order of the work differs: the tokens are sorted by expert
once per layer, so that every expert is one pair of matrix products.
`assert_same_logits` holds it to the library's own forward.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Forward:
    """What one forward pass gives the trainer."""

    hidden: Tensor
    loads: list[Tensor]  # per MoE layer, how many choices each expert received


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), weight, eps)


def rotate_pairs(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates the interleaved pairs (x0, x1), (x2, x3), ... of the last axis."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.cat([even * cos - odd * sin, odd * cos + even * sin], dim=-1)


def attention(attn: nn.Module, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    batch, length, _ = x.shape
    nope, rope, v_dim = attn.qk_nope_head_dim, attn.qk_rope_head_dim, attn.v_head_dim
    heads = attn.num_heads
    eps_q = attn.q_a_layernorm.variance_epsilon
    eps_kv = attn.kv_a_layernorm.variance_epsilon

    q = attn.q_b_proj(rms_norm(attn.q_a_proj(x), attn.q_a_layernorm.weight, eps_q))
    q = q.view(batch, length, heads, nope + rope).transpose(1, 2)
    q = torch.cat([q[..., :nope], rotate_pairs(q[..., nope:], cos, sin)], dim=-1)

    latent, k_rope = attn.kv_a_proj_with_mqa(x).split([attn.kv_lora_rank, rope], dim=-1)
    kv = attn.kv_b_proj(rms_norm(latent, attn.kv_a_layernorm.weight, eps_kv))
    kv = kv.view(batch, length, heads, nope + v_dim).transpose(1, 2)
    k_rope = rotate_pairs(k_rope.unsqueeze(1), cos, sin).expand(-1, heads, -1, -1)
    k = torch.cat([kv[..., :nope], k_rope], dim=-1)

    # Values as wide as the keys, so that the fused attention kernel takes them.
    v = F.pad(kv[..., nope:], (0, nope + rope - v_dim))
    out = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=attn.scaling)[..., :v_dim]
    return attn.o_proj(out.transpose(1, 2).reshape(batch, length, heads * v_dim))


def gated_mlp(mlp: nn.Module, x: Tensor) -> Tensor:
    return mlp.down_proj(F.silu(mlp.gate_proj(x)) * mlp.up_proj(x))


def route(gate: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """The sigmoid router with expert groups: weights and indices of the chosen experts."""
    scores = F.linear(x, gate.weight).sigmoid()
    with torch.no_grad():
        biased = (scores + gate.e_score_correction_bias).view(-1, gate.num_group, gate.num_experts // gate.num_group)
        group_scores = biased.topk(2, dim=-1)[0].sum(dim=-1)
        kept = group_scores.topk(gate.topk_group, dim=-1, sorted=False)[1]
        mask = torch.ones_like(group_scores, dtype=torch.bool).scatter_(1, kept, False)
        biased = biased.masked_fill(mask.unsqueeze(-1), float("-inf")).flatten(1)
        chosen = biased.topk(gate.top_k, dim=-1, sorted=False)[1]
    weights = scores.gather(1, chosen)
    if gate.norm_topk_prob:
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)
    return weights * gate.routed_scaling_factor, chosen


def mixture(moe: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Routed plus shared experts; also returns the load of every routed expert."""
    flat = x.reshape(-1, x.shape[-1])
    weights, chosen = route(moe.gate, flat)
    top_k = chosen.shape[1]
    order = chosen.flatten().argsort()
    load = torch.bincount(chosen.flatten(), minlength=moe.gate.num_experts)

    parts = flat.index_select(0, order // top_k).split(load.tolist())
    outputs = []
    for part, gate_up, down in zip(parts, moe.experts.gate_up_proj, moe.experts.down_proj, strict=True):
        gate, up = F.linear(part, gate_up).chunk(2, dim=-1)
        outputs.append(F.linear(F.silu(gate) * up, down))
    place = torch.empty_like(order)
    place[order] = torch.arange(order.numel())
    routed = torch.cat(outputs).index_select(0, place).view(-1, top_k, x.shape[-1])
    routed = (routed * weights.unsqueeze(-1)).sum(dim=1)
    return routed.view_as(x) + gated_mlp(moe.shared_experts, x), load


def forward(model: nn.Module, ids: Tensor) -> Forward:
    """Final hidden states (before the output head) of a batch of equally long rows."""
    base = model.model
    x = base.embed_tokens(ids)
    position_ids = torch.arange(ids.shape[1]).unsqueeze(0)
    cos, sin = base.rotary_emb(x, position_ids)
    half = cos.shape[-1] // 2
    cos, sin = cos[..., :half].unsqueeze(1), sin[..., :half].unsqueeze(1)
    loads = []
    for layer in base.layers:
        norm = layer.input_layernorm
        x = x + attention(layer.self_attn, rms_norm(x, norm.weight, norm.variance_epsilon), cos, sin)
        norm = layer.post_attention_layernorm
        normed = rms_norm(x, norm.weight, norm.variance_epsilon)
        if hasattr(layer.mlp, "experts"):
            out, load = mixture(layer.mlp, normed)
            loads.append(load)
        else:
            out = gated_mlp(layer.mlp, normed)
        x = x + out
    return Forward(rms_norm(x, base.norm.weight, base.norm.variance_epsilon), loads)


def assert_same_logits(model: nn.Module, ids: Tensor, tolerance: float = 1e-4) -> float:
    """Compares this forward with the library's; returns the largest difference."""
    with torch.no_grad():
        ours = model.lm_head(forward(model, ids).hidden)
        theirs = model(ids, use_cache=False).logits
    worst = (ours - theirs).abs().max().item()
    if not worst < tolerance:
        raise AssertionError(f"the fast forward differs from transformers' by {worst}")
    return worst
