"""Writes the vocabulary of a tokenizer.json as a GGUF file without tensors, as llama.cpp's converter would.

Usage: gguf_vocabularies.py TOKENIZER_JSON OUT.gguf PRE     (byte-level BPE; PRE is the value of tokenizer.ggml.pre)
       gguf_vocabularies.py TOKENIZER_JSON OUT.gguf scores  (SentencePiece-BPE: scores from the order of the ids)
"""

import json
import pathlib
import re
import sys

import gguf

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def tables(document, rows=None):
    """Tokens and types by id; ids without a token are filled up, to `rows` if there are to be more."""
    words = {id: word for word, id in document["model"]["vocab"].items()}
    added = {token["id"]: token for token in document["added_tokens"]}
    count = max([*words, *added]) + 1
    tokens, types = [], []
    for id in range(max(count, rows or 0)):
        if id in added:
            tokens.append(added[id]["content"])
            types.append(CONTROL if added[id]["special"] else USER_DEFINED)
        elif id in words:
            tokens.append(words[id])
            types.append(NORMAL)
        else:
            tokens.append(f"[PAD{id}]")
            types.append(UNUSED)
    return tokens, types


def write(path, model, tokens, types, merges=None, scores=None, pre=None, **flags):
    writer = gguf.GGUFWriter(path, "llama")
    for key in ("context_length", "embedding_length", "block_count", "feed_forward_length"):
        getattr(writer, f"add_{key}")(64)
    writer.add_head_count(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model(model)
    if pre is not None:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list([token.encode() for token in tokens])
    writer.add_token_types(types)
    if merges is not None:
        writer.add_token_merges([" ".join(m) if isinstance(m, list) else m for m in merges])
    if scores is not None:
        writer.add_token_scores(scores)
    for name, value in flags.items():
        {"bos": writer.add_bos_token_id, "eos": writer.add_eos_token_id, "unk": writer.add_unk_token_id,
         "add_bos": writer.add_add_bos_token, "add_eos": writer.add_add_eos_token,
         "add_space_prefix": writer.add_add_space_prefix}[name](value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def byte_level(document, path, pre, rows=None, **flags):
    tokens, types = tables(document, rows)
    write(path, "gpt2", tokens, types, merges=document["model"]["merges"], pre=pre, **flags)


def scored(document, path, scores=None, **flags):
    """As SentencePiece-BPE has it: a piece's score is minus its place behind the bytes; the others have 0."""
    tokens, types = tables(document)
    types = [BYTE if re.fullmatch("<0x[0-9A-F]{2}>", token) else type for token, type in zip(tokens, types)]
    types[0] = UNKNOWN
    first = next(id for id in range(len(tokens)) if types[id] == NORMAL)
    scores = scores or [0.0 if type != NORMAL else float(first - id) for id, type in enumerate(types)]
    write(path, "llama", tokens, types, scores=scores, pre="default", unk=0, **flags)


def main():
    source, path, kind = sys.argv[1:]
    document = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))
    if kind == "scores":
        scored(document, path, bos=1, eos=2, add_bos=True)
    else:
        byte_level(document, path, kind)


if __name__ == "__main__":
    main()
