"""A byte-level BPE tokenizer for lower-case text, in which a word is the same token at a text's beginning."""

from __future__ import annotations

from collections.abc import Iterable

from recipe.tokenizer import fit
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from .words import vocabulary


def train(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)
    fit(tokenizer, texts, vocab_size)
    _check(tokenizer, vocab_size)
    return tokenizer


def _check(tokenizer: Tokenizer, vocab_size: int) -> None:
    """Every word must be one token, wherever it stands and however it is written."""
    split = [w for w in vocabulary() if len({*tokenizer.encode(w, add_special_tokens=False).ids}) != 1]
    if split:
        raise RuntimeError(f"words of more than one token: {split}")
    variants = {tuple(tokenizer.encode(text).ids[1:]) for text in ("The dog", "the dog", " the Dog")}
    if len(variants) != 1:
        raise RuntimeError("upper and lower case, or a text's beginning, make a difference")
    if tokenizer.get_vocab_size() > vocab_size:
        raise RuntimeError(f"the tokenizer has {tokenizer.get_vocab_size()} tokens, more than {vocab_size}")
