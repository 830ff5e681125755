"""A compact dense MLA decoder with DeepSeek-V3's weight names and an exchangeable positional encoding."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import positions

LATENT_EPS = 1e-6


@dataclass(frozen=True)
class Where:
    """What the layers need to know about positions: a score bias, or the rotation of the decoupled part."""

    bias: Tensor | None = None
    turns: Tensor | None = None


class Norm(nn.Module):
    """Root-mean-square norm with a learned gain."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def matrix(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


class Attention(nn.Module):
    """Multi-head latent attention; without a rotated part it is "simplified MLA"."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.heads = config["num_attention_heads"]
        self.nope, self.rope = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
        self.value, self.rank = config["v_head_dim"], config["kv_lora_rank"]
        hidden = config["hidden_size"]
        self.q_proj = matrix(hidden, self.heads * (self.nope + self.rope))
        self.kv_a_proj_with_mqa = matrix(hidden, self.rank + self.rope)
        self.kv_a_layernorm = Norm(self.rank, LATENT_EPS)
        self.kv_b_proj = matrix(self.rank, self.heads * (self.nope + self.value))
        self.o_proj = matrix(self.heads * self.value, hidden)

    def forward(self, x: Tensor, where: Where) -> Tensor:
        rows, length, _ = x.shape
        query = self.q_proj(x).view(rows, length, self.heads, -1).transpose(1, 2)
        latent, shared = self.kv_a_proj_with_mqa(x).split((self.rank, self.rope), -1)
        both = self.kv_b_proj(self.kv_a_layernorm(latent)).view(rows, length, self.heads, -1).transpose(1, 2)
        key, value = both.split((self.nope, self.value), -1)
        if self.rope:
            plain, turned = query.split((self.nope, self.rope), -1)
            query = torch.cat((plain, positions.rotate(turned, where.turns)), -1)
            shared = positions.rotate(shared, where.turns)[:, None].expand(-1, self.heads, -1, -1)
            key = torch.cat((key, shared), -1)
        # The quick kernel wants values as wide as the keys and a mask for every row.
        mixed = F.scaled_dot_product_attention(
            query,
            key,
            F.pad(value, (0, query.shape[-1] - self.value)),
            attn_mask=None if where.bias is None else where.bias.expand(rows, -1, -1, -1),
            is_causal=where.bias is None,
            scale=(self.nope + self.rope) ** -0.5,
        )
        return self.o_proj(mixed[..., : self.value].transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj, self.up_proj = matrix(hidden, inner), matrix(hidden, inner)
        self.down_proj = matrix(inner, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.input_layernorm = Norm(config["hidden_size"], config["rms_norm_eps"])
        self.self_attn = Attention(config)
        self.post_attention_layernorm = Norm(config["hidden_size"], config["rms_norm_eps"])
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, where: Where) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), where)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    """Everything below `model.` in the weight names."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        if config["position_encoding"] == "learned":
            self.embed_positions = nn.Embedding(config["max_position_embeddings"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = Norm(config["hidden_size"], config["rms_norm_eps"])


class Decoder(nn.Module):
    """Token ids (rows, length) to logits; the output head is the embedding."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.encoding: str = config["position_encoding"]
        self.model = Body(config)

    def embed(self, ids: Tensor, at: Tensor) -> Tensor:
        """Token embeddings with the added encoding, if the encoding is one that adds."""
        x = self.model.embed_tokens(ids)
        if self.config.get("scale_embedding"):
            x = x * self.config["hidden_size"] ** 0.5
        if self.encoding == "learned":
            return x + self.model.embed_positions(at)
        if self.encoding in positions.ADDED:
            return x + positions.ADDED[self.encoding](at, x.shape[-1])
        return x

    def where(self, at: Tensor) -> Where:
        if self.encoding == "alibi":
            return Where(bias=positions.alibi(at, self.config["num_attention_heads"]))
        if self.encoding == "rope-decoupled":
            return Where(turns=positions.rotation(at, self.config["qk_rope_head_dim"], self.config["rope_theta"]))
        return Where()

    def forward(self, ids: Tensor, first: int = 0) -> Tensor:
        at = torch.arange(first, first + ids.shape[1])
        x, where = self.embed(ids, at), self.where(at)
        for layer in self.model.layers:
            x = layer(x, where)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)


def create(config: dict[str, Any], seed: int) -> Decoder:
    """Fresh weights; a weight's values depend on the seed, its name and its shape alone."""
    model = Decoder(config)
    depth, hidden = config["num_hidden_layers"], config["hidden_size"]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() < 2:
                continue
            if "embed_tokens" in name:
                std = hidden**-0.5
            elif "embed_positions" in name:
                std = 0.02
            else:
                std = weight.shape[-1] ** -0.5 * 0.6
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    std /= (2 * depth) ** 0.5
            generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
            weight.normal_(0.0, std, generator=generator)
    return model
