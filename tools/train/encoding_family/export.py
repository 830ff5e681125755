"""Hugging Face folders of the family."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from recipe.files import read_json, write_atomically, write_json
from safetensors.torch import load_file, save_file

from .architecture import Decoder

_GENERATION = {"bos_token_id": 0, "eos_token_id": 1, "do_sample": True, "temperature": 0.8, "top_p": 0.95}


def export(model: Decoder, folder: Path, tokenizer: Path) -> None:
    """Writes the folder, the weights last and in the config's type."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    write_json(folder / "config.json", model.config)
    write_json(folder / "generation_config.json", _GENERATION)
    dtype = getattr(torch, model.config["torch_dtype"])
    rounded = {name: weight.detach().to(dtype).contiguous() for name, weight in sorted(model.state_dict().items())}

    def write(path: Path) -> None:
        save_file(rounded, path, metadata={"format": "pt"})
        path.chmod(0o644)

    write_atomically(folder / "model.safetensors", write)


def load(folder: Path) -> Decoder:
    """The exported model, computing in float32 with its rounded weights."""
    model = Decoder(read_json(folder / "config.json"))
    weights = {name: weight.float() for name, weight in load_file(folder / "model.safetensors").items()}
    model.load_state_dict(weights)
    return model.eval()
