"""Gathers what is trained so far: the first seed into models/encodings, the figures of each seed into one file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from recipe.files import read_json, say, write_json

from .config import ENCODINGS, SEEDS


def _results(work: Path, seed: int) -> list[dict[str, Any]]:
    paths = [work / "results" / f"{encoding}.{seed}.json" for encoding in ENCODINGS]
    return [read_json(path) for path in paths if path.exists()]


def gather(models: Path, work: Path) -> None:
    """May be called again and again as more models are finished."""
    shipped = work / f"seed{SEEDS[0]}"
    for encoding in ENCODINGS:
        if (shipped / encoding / "model.safetensors").exists():
            shutil.copytree(shipped / encoding, models / encoding, dirs_exist_ok=True)
    results = {str(seed): _results(work, seed) for seed in SEEDS}
    write_json(work / "evaluation.json", results)
    for seed, found in results.items():
        write_json(work / f"evaluation.seed{seed}.json", found)
        say(f"seed {seed}: {len(found)} of {len(ENCODINGS)} models")
