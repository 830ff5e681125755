"""First half of the recipe: texts, tokenizer, token files.

usage: python -m recipe.prepare NAME MODEL_FOLDER WORK_FOLDER NODE_MODULES
"""

from __future__ import annotations

import sys
from pathlib import Path

from . import corpus, tokenizer
from .files import read_json, say, write_json

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


def main(name: str, model_folder: str, work_folder: str, node_modules: str) -> None:
    config = read_json(CONFIGS / f"{name}.model.json")
    recipe = read_json(CONFIGS / f"{name}.train.json")
    documents = corpus.collect(corpus.CorpusPlan(**recipe["corpus"]), Path(node_modules))
    say("training the tokenizer")
    trained = tokenizer.train(documents.train[: recipe["tokenizer_documents"]], config["vocab_size"])
    folder = Path(model_folder)
    tokenizer.write(trained, folder, config["max_position_embeddings"])
    write_json(folder / "config.json", config)
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": config["bos_token_id"],
            "eos_token_id": config["eos_token_id"],
            "do_sample": True,
            "temperature": 0.8,
            "top_p": 0.95,
        },
    )
    corpus.encode(documents, trained, Path(work_folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
