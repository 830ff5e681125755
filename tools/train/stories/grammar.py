"""Turns templates into English.

A template is plain text with three kinds of marks:

    [at once|right away|]   one of the alternatives, which may contain marks
    <weather>               an expansion of the rule of that name
    {A} {A.his} {X.a}       a form of one of the story's entities

Within one template every sentence is capitalised, "a" becomes "an" where it
must, and `^` capitalises the letter that follows it (for a sentence after a
closing quotation mark).
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Protocol

Rules = Mapping[str, list[str]]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_RULE = re.compile(r"<([a-z_0-9]+)>")
_ENTITY = re.compile(r"\{([A-Za-z0-9]+)(?:\.([a-z_]+))?\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=([A-Za-z]+))")
_SENTENCE = re.compile(r"(^|[.!?] |\n)([\"']?)([a-z])")
_RAISED = re.compile(r"\^([\"']?)([a-z]?)")
_SPACES = re.compile(r" {2,}")

_VOWEL_SPELLED_CONSONANTS = ("uni", "use", "usu", "one", "once", "eur", "uku")
_SILENT_H = ("hour", "honest", "honor", "honour")


class Entity(Protocol):
    """A person, animal, thing or place that templates can mention."""

    def form(self, name: str) -> str: ...


def needs_an(word: str) -> bool:
    low = word.lower()
    if low.startswith(_SILENT_H):
        return True
    return low[0] in "aeiou" and not low.startswith(_VOWEL_SPELLED_CONSONANTS)


def polish(text: str) -> str:
    """Articles, spacing and capitals of an expanded template."""
    text = _SPACES.sub(" ", text).strip()
    text = re.sub(r" ([.,!?;])", r"\1", text)
    text = _ARTICLE.sub(lambda m: m[1] + ("n " if needs_an(m[2]) else " "), text)
    text = _SENTENCE.sub(lambda m: m[1] + m[2] + m[3].upper(), text)
    return _RAISED.sub(lambda m: m[1] + m[2].upper(), text)


class Grammar:
    """Expands templates with one random source; never the same line twice running."""

    def __init__(self, rules: Rules, rng: random.Random) -> None:
        self.rules = rules
        self.rng = rng
        self.used: set[str] = set()

    def pick(self, options: list[str]) -> str:
        """One option, preferring those this story has not used yet."""
        fresh = [o for o in options if o not in self.used]
        choice = self.rng.choice(fresh or options)
        if len(choice) > 12:
            self.used.add(choice)
        return choice

    def unfold(self, text: str) -> str:
        """Resolves choices and rules, innermost first, leaving entity marks."""
        while True:
            if found := _CHOICE.search(text):
                part = self.rng.choice(found[1].split("|"))
            elif found := _RULE.search(text):
                part = self.pick(self.rules[found[1]])
            else:
                return text
            text = text[: found.start()] + part + text[found.end() :]

    def render(self, template: str, entities: Mapping[str, Entity]) -> str:
        def mention(found: re.Match[str]) -> str:
            return entities[found[1]].form(found[2] or "name")

        return polish(_ENTITY.sub(mention, self.unfold(template)))
