"""The loss curve of a run as a picture.

usage: python -m recipe.plot WORK_FOLDER PICTURE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from .files import write_atomically


def main(work_folder: str, picture: str) -> None:
    lines = (Path(work_folder) / "log.jsonl").read_text(encoding="utf-8").splitlines()
    by_step = {entry["step"]: entry for entry in map(json.loads, lines)}
    log = [by_step[step] for step in sorted(by_step)]
    tokens = [entry["tokens"] / 1e6 for entry in log]

    figure, axis = plt.subplots(figsize=(8, 4.2), dpi=110)
    axis.plot(tokens, [entry["loss"] for entry in log], color="#1f5fa8", linewidth=1.2)
    axis.set(xlabel="training tokens (millions)", ylabel="training loss (nats per token)", yscale="log")
    ticks = [0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8]
    axis.set_yticks(ticks, [str(t) for t in ticks])
    axis.minorticks_off()
    axis.grid(alpha=0.3)
    rate = axis.twinx()
    rate.plot(tokens, [entry["rate"] for entry in log], color="#c46a1b", linewidth=1, linestyle="--")
    rate.set(ylabel="learning rate / peak (dashed)", ylim=(0, 1.05))
    figure.tight_layout()
    write_atomically(Path(picture), lambda p: figure.savefig(p, format=Path(picture).suffix[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
