"""Writes the tables of models/encodings/README.md from statistics.json beside it.

usage: python -m encoding_family.summary MODELS_FOLDER

The tables stand between the two marker comments and give the mean over the seeds and its 95 % confidence interval.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

from recipe.files import read_json, write_text

from .config import ENCODINGS

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
# Student's t at 97.5 % by the number of seeds.
_STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}

Results = dict[str, list[dict[str, Any]]]


def _number(value: float, percent: bool) -> str:
    if percent:
        return f"{100 * value:.1f}"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _cell(values: list[float | None], percent: bool) -> str:
    found = [value for value in values if value is not None]
    if not found:
        return "–"
    mean = _number(statistics.mean(found), percent)
    if len(found) < 2:
        return mean
    half = _STUDENT[len(found)] * statistics.stdev(found) / len(found) ** 0.5
    return f"{mean} ± {_number(half, percent)}"


def _table(results: Results, columns: list[tuple[str, str, str]], percent: bool) -> str:
    """Rows are encodings; a column is its heading, the measure and the key in it."""
    headings = " | ".join(heading for heading, _, _ in columns)
    lines = [f"| encoding | {headings} |", "|---" * (len(columns) + 1) + "|"]
    for encoding in ENCODINGS:
        seeds = results[encoding]
        cells = [_cell([seed[measure].get(key) for seed in seeds], percent) for _, measure, key in columns]
        lines.append(f"| {encoding} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def tables(results: Results) -> str:
    lengths = ("1", "2", "4")
    shifts = list(results[ENCODINGS[0]][0]["phase_shift"])
    return "\n\n".join(
        [
            "Perplexity of the held-out documents at 1, 2 and 4 times the trained length:",
            _table(results, [(f"{n}x", "perplexity", n) for n in lengths], False),
            "Copying: share of the list's tokens foretold, in %:",
            _table(results, [(f"{n}x", "copy", n) for n in lengths], True),
            "Word order and coreference: right answers in %, chance is 50:",
            _table(
                results,
                [
                    (f"{heading} {n}x", measure, n)
                    for heading, measure in (("order", "word_order"), ('"it"', "coreference"))
                    for n in lengths
                ],
                True,
            ),
            "Phase shift: perplexity of windows of 64 tokens whose positions begin at k:",
            _table(results, [(f"k = {k}", "phase_shift", k) for k in shifts], False),
        ]
    )


def main(models_folder: str) -> None:
    readme = Path(models_folder) / "README.md"
    results: Results = {encoding: [] for encoding in ENCODINGS}
    for seed in read_json(readme.with_name("statistics.json")):
        for entry in seed["trained"]:
            results[entry["encoding"]].append(entry)
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if END not in rest:
        raise SystemExit(f"{readme} has no {BEGIN} ... {END}")
    write_text(readme, f"{before}{BEGIN}\n\n{tables(results)}\n\n{END}{after}")


if __name__ == "__main__":
    main(*sys.argv[1:])
