"""The family: its encodings, the shared config.json and the shared training recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ENCODINGS = ("none", "integer", "binary", "sinusoidal", "learned", "rope-decoupled", "alibi")
SEEDS = (1, 2, 3)
CONTEXT = 128
LENGTHS = (1, 2, 4)
ROPE_DIMENSION = 16


@dataclass(frozen=True)
class Recipe:
    """How every model of the family is trained; nothing here depends on the encoding."""

    steps: int = 750
    warmup: int = 40
    rows: int = 32
    other_weight: float = 0.15
    muon_lr: float = 0.015
    muon_momentum: float = 0.95
    adam_lr: float = 0.003
    weight_decay: float = 0.02
    clip: float = 1.0
    log_every: int = 20


def model_config(encoding: str) -> dict[str, Any]:
    """config.json of one encoding, with DeepSeek-V3's published keys."""
    if encoding not in ENCODINGS:
        raise ValueError(f"unknown encoding {encoding!r}")
    layers = 3
    config = {
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "deepseek_v3",
        "torch_dtype": "bfloat16",
        "vocab_size": 1024,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": layers,
        "first_k_dense_replace": layers,
        "moe_layer_freq": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "q_lora_rank": None,
        "kv_lora_rank": 64,
        "qk_nope_head_dim": 32,
        "qk_rope_head_dim": ROPE_DIMENSION if encoding == "rope-decoupled" else 0,
        "v_head_dim": 32,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "num_nextn_predict_layers": 0,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "initializer_range": 0.02,
        "max_position_embeddings": CONTEXT,
        "position_encoding": encoding,
        "rope_theta": 10000.0,
        "rope_scaling": None,
        "rope_interleave": True,
        "tie_word_embeddings": True,
        "use_cache": True,
    }
    if encoding == "sinusoidal":
        config["scale_embedding"] = True
    return config
