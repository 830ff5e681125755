"""A vocabulary of any size for models that were never trained: GPT-2's bytes, and pairs and triples of them."""

PRE_TOKENIZER = "gpt-2"  # GGUF's name for splitting as GPT-2 does.


def byte_characters():
    """The character that stands for each byte, as in GPT-2: itself where it is visible, else the next one above 255."""
    visible = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return [chr(byte) if byte in visible else chr(256 + hidden.index(byte)) for byte in range(256)]


def vocabulary(size):
    """(tokens, merges): all bytes, then joined ones, and at the end the markers of a text's begin and end."""
    tokens = byte_characters()
    merges = []
    left = 0
    while len(tokens) < size - 2:  # What ran through all bytes behind one token goes on behind the next.
        for right in tokens[: min(256, size - 2 - len(tokens))]:
            merges.append((tokens[left], right))
            tokens.append(tokens[left] + right)
        left += 1
    return tokens + ["<|begin|>", "<|end|>"], merges


def tokenizer_json(size):
    tokens, merges = vocabulary(size)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    markers = [{"id": size - 2 + i, "content": tokens[size - 2 + i], "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i in range(2)]  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": markers, "normalizer": None,
        "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {token: i for i, token in enumerate(tokens[: size - 2])},
                  "merges": [list(pair) for pair in merges]},
    }  # fmt: skip


def gguf_keys(size):
    tokens, merges = vocabulary(size)
    normal, control = 1, 3
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": PRE_TOKENIZER,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [normal] * (size - 2) + [control] * 2,
        "tokenizer.ggml.merges": [" ".join(pair) for pair in merges],
        "tokenizer.ggml.bos_token_id": size - 2,
        "tokenizer.ggml.eos_token_id": size - 1,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_eos_token": False,
    }
