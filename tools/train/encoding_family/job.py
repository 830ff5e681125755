"""Second part of the recipe: checks, trains, exports and evaluates one model; what is done already is skipped.

usage: python -m encoding_family.job MODELS_FOLDER WORK_FOLDER ENCODING SEED
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from recipe.files import read_json, say, write_json

from .check import worst_difference
from .config import Recipe
from .evaluate import evaluate
from .export import export
from .gather import gather
from .train import train


def main(models_folder: str, work_folder: str, encoding: str, seed: str) -> None:
    torch.set_num_threads(1)
    models, work = Path(models_folder), Path(work_folder)
    folder, result = work / f"seed{seed}" / encoding, work / "results" / f"{encoding}.{seed}.json"
    if not (folder / "model.safetensors").exists():
        say(f"{encoding}: forward agrees with its reference to {worst_difference(encoding):.1e}")
        export(train(encoding, int(seed), Recipe(), work), folder, work / "tokenizer")
    if not result.exists():
        write_json(result, evaluate(folder, models / "evaluation"))
        say(f"{encoding} seed {seed}: {json.dumps(read_json(result))}")
    gather(models, work)


if __name__ == "__main__":
    main(*sys.argv[1:])
