"""Light paraphrasing of a told story: synonyms, ways of speaking, contractions in speech."""

from __future__ import annotations

import random
import re

_SYNONYMS: dict[str, list[str]] = {
    "in the end": ["finally", "at last", "in the end"],
    "began to": ["started to"],
    "looked at": ["gazed at", "stared at"],
    "laughed": ["giggled", "chuckled"],
    "beautiful": ["lovely", "pretty"],
    "saw": ["noticed"],
    "found": ["discovered"],
    "jumped": ["leapt", "hopped"],
    "everybody": ["everyone"],
    "nobody": ["no one"],
    "suddenly": ["all of a sudden", "all at once"],
    "once more": ["again"],
    "for a long time": ["for ages", "for quite a while"],
    "very": ["really"],
    "at once": ["right away", "immediately", "straight away"],
    "big": ["large", "great", "huge"],
    "small": ["little", "tiny"],
    "wonderful": ["marvelous", "splendid"],
    "shouted": ["yelled", "called out"],
    "the whole": ["the entire"],
    "carefully": ["gently", "with great care"],
    "angry": ["cross", "annoyed"],
    "nice": ["kind", "friendly"],
    "clever": ["smart"],
    "hurried": ["rushed", "dashed"],
}
_NOT_IN = r"(?<!as )(?!big (?:brother|sister|enough|hat)|found (?:you|out))"
_PATTERN = re.compile(_NOT_IN + r"\b(" + "|".join(sorted(_SYNONYMS, key=len, reverse=True)) + r")\b", re.IGNORECASE)

_MANNERS = [
    "softly",
    "quietly",
    "with a smile",
    "after a while",
    "kindly",
    "slowly",
    "with a laugh",
    "in a low voice",
    "at last",
    "cheerfully",
    "with a nod",
    "thoughtfully",
    "seriously",
    "with shining eyes",
    "politely",
]
_SPOKEN = re.compile(r"([,?]\" (?:said|asked|answered) (?:the |his |her |its )?(?:\w+ )?\w+)\.")

_CONTRACTIONS = [
    ("do not", "don't"),
    ("did not", "didn't"),
    ("cannot", "can't"),
    ("I am", "I'm"),
    ("it is", "it's"),
    ("It is", "It's"),
    ("I will", "I'll"),
    ("You are", "You're"),
    ("you are", "you're"),
    ("That is", "That's"),
    ("that is", "that's"),
    ("Let us", "Let's"),
    ("let us", "let's"),
    ("What is", "What's"),
    ("will not", "won't"),
    ("does not", "doesn't"),
    ("Do not", "Don't"),
    ("is not", "isn't"),
]
_SPEECH = re.compile(r'"[^"]*"')
_ENDS_CLAUSE = re.compile(r"\b(I'm|it's|It's|I'll|You're|you're|That's|that's)(?=[.,!?\"])")


def _synonyms(text: str, rng: random.Random) -> str:
    def swap(found: re.Match[str]) -> str:
        if rng.random() > 0.3:
            return found[0]
        word = rng.choice(_SYNONYMS[found[0].lower()])
        return word[0].upper() + word[1:] if found[0][0].isupper() else word

    return _PATTERN.sub(swap, text)


def _contract(speech: str) -> str:
    short = speech
    for long_form, short_form in _CONTRACTIONS:
        short = re.sub(rf"\b{long_form}\b", short_form, short)
    return speech if _ENDS_CLAUSE.search(short) else short


def vary(text: str, rng: random.Random) -> str:
    """The same story in slightly other words; one story speaks either with contractions or without."""
    text = _synonyms(text, rng)
    text = _SPOKEN.sub(lambda m: f"{m[1]} {rng.choice(_MANNERS)}." if rng.random() < 0.15 else m[0], text)
    if rng.random() < 0.45:
        text = _SPEECH.sub(lambda m: _contract(m[0]), text)
    return text
