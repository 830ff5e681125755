"""Measures every seed's models with mla and keeps the figures in MODELS/statistics.json.

usage: python -m encoding_family.measure MLA_PROGRAM MODELS_FOLDER WORK_FOLDER

Each seed's figures are held against those of this recipe's own evaluation in PyTorch (WORK/evaluation.seedN.json): two
programs that share no code have to say the same.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from recipe.files import read_json, say, write_json

from .config import SEEDS

# Both compute in float32 with sums in different orders; an accuracy may turn at a near tie.
PERPLEXITY_TOLERANCE, ACCURACY_TOLERANCE = 1e-4, 0.02

Measures = dict[str, Any]


def measured(program: str, family: Path) -> list[Measures]:
    """What `mla compare --trained` says of the family in a folder."""
    command = [program, "compare", "--trained", "--family", str(family), "--json", "-"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["trained"]


def check(found: Measures, expected: Measures) -> None:
    """Raises if one of the figures of the PyTorch evaluation differs."""
    for measure, values in expected.items():
        if measure == "encoding":
            continue
        relative = measure in ("perplexity", "phase_shift")
        for key, value in values.items():
            other = found[measure][key]
            if value is None or other is None:
                agrees = value is other
            elif relative:
                agrees = abs(other / value - 1) <= PERPLEXITY_TOLERANCE
            else:
                agrees = abs(other - value) <= ACCURACY_TOLERANCE
            if not agrees:
                raise SystemExit(f"{found['encoding']}: {measure} {key} is {other} in mla, {value} in PyTorch")


def main(program: str, models_folder: str, work_folder: str) -> None:
    models, work = Path(models_folder), Path(work_folder)
    seeds = []
    for seed in SEEDS:
        family = work / f"seed{seed}"
        shutil.copytree(models / "evaluation", family / "evaluation", dirs_exist_ok=True)
        trained = measured(program, family)
        expected = {entry["encoding"]: entry for entry in read_json(work / f"evaluation.seed{seed}.json")}
        for entry in trained:
            check(entry, expected[entry["encoding"]])
        say(f"seed {seed}: mla and PyTorch agree")
        seeds.append({"seed": seed, "trained": trained})
    write_json(models / "statistics.json", seeds)


if __name__ == "__main__":
    main(*sys.argv[1:])
