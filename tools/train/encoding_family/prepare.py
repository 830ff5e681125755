"""First part of the recipe: texts, tokenizer, token file, evaluation files.

usage: python -m encoding_family.prepare MODELS_FOLDER WORK_FOLDER
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from recipe import tokenizer as folders
from recipe.files import say, write_atomically, write_text
from recipe.tokenizer import BOS, EOS
from stories.render import stories
from tokenizers import Tokenizer

from . import lowercase_tokenizer, probes
from .config import CONTEXT, model_config
from .documents import documents

_TRAIN_SEED, _HELD_OUT_SEED, _PROBE_SEED = 11, 12, 13
_DOCUMENTS, _TOKENIZER_DOCUMENTS, _TOKENIZER_STORIES = 9000, 2000, 200


def _stream(texts: list[str], tokenizer: Tokenizer) -> np.ndarray:
    """All documents, each BOS ... EOS, one after the other."""
    bos, eos = tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS)
    tokens: list[int] = []
    for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False):
        tokens += [bos, *encoding.ids, eos]
    return np.array(tokens, np.uint16)


def main(models_folder: str, work_folder: str) -> None:
    work, evaluation = Path(work_folder), Path(models_folder) / "evaluation"
    say(f"writing {_DOCUMENTS} documents")
    texts = list(itertools.islice(documents(_TRAIN_SEED), _DOCUMENTS))
    # The playground's words need 771 tokens; some stories fill up the rest with common English.
    sample = texts[:_TOKENIZER_DOCUMENTS] + list(itertools.islice(stories(_TRAIN_SEED), _TOKENIZER_STORIES))
    tokenizer = lowercase_tokenizer.train(sample, model_config("none")["vocab_size"])
    folders.write(tokenizer, work / "tokenizer", CONTEXT)
    tokens = _stream(texts, tokenizer)

    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, tokens)

    held_out = probes.held_out_documents(tokenizer, _HELD_OUT_SEED)
    write_text(evaluation / "documents.txt", "".join(text + "\n" for text in held_out))
    write_text(evaluation / "probes.jsonl", probes.as_lines(probes.probes(tokenizer, _PROBE_SEED)))
    write_atomically(work / "train.npy", save)
    say(f"{len(texts)} documents of {len(tokens)} tokens, {len(held_out)} held out")


if __name__ == "__main__":
    main(*sys.argv[1:])
