"""Makes, saves and loads the transformers models."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.core_model_loading import revert_weight_conversion

from .files import read_json, write_atomically


def create(folder: Path, seed: int) -> nn.Module:
    """A float32 model with fresh weights for the config.json in `folder`."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
    depth = model.config.num_hidden_layers
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed_tokens" not in name:
                std = weight.shape[-1] ** -0.5 * 0.6
                if name.endswith(("o_proj.weight", "down_proj", "down_proj.weight")):
                    std /= (2 * depth) ** 0.5
                weight.normal_(0.0, std)
    return model


def export(model: nn.Module, folder: Path) -> None:
    """Writes model.safetensors: weights of the config's type under their published names, float32 router biases."""
    dtype = getattr(torch, read_json(folder / "config.json")["torch_dtype"])
    state = revert_weight_conversion(model, dict(model.state_dict()))
    rounded = {
        name: tensor.detach()
        .to(torch.float32 if name.endswith("e_score_correction_bias") else dtype)
        .contiguous()
        .clone()
        for name, tensor in sorted(state.items())
    }

    def write(path: Path) -> None:
        save_file(rounded, path, metadata={"format": "pt"})
        path.chmod(0o644)

    write_atomically(folder / "model.safetensors", write)


def load(folder: Path) -> nn.Module:
    """The exported model, computing in float32 with its rounded weights."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """All parameters, and those one token uses (its embedding row, its experts)."""
    config = model.config
    total = sum(p.numel() for p in model.parameters())
    routed = sum(p.numel() for n, p in model.named_parameters() if ".experts." in n)
    unused = routed * (1 - config.num_experts_per_tok / config.n_routed_experts)
    embedding = model.get_input_embeddings().weight.numel()
    return total, int(total - unused - embedding + config.hidden_size)
