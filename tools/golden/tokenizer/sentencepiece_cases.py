"""Small tokenizers in the form that SentencePiece-BPE checkpoints have (Llama 2, Mistral, MiniCPM), and lists of ids to decode."""

import json
import random

from tokenizers import Tokenizer, decoders, models, trainers

MARK = "\u2581"
SHORT = ("minicpm", "metaspace_always", "metaspace_first", "metaspace_never", "strip_each", "strip_text")  # Fewer texts.
BYTE_NAMES = [f"<0x{byte:02X}>" for byte in range(256)]


def special(content, id, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True} | flags


def replace(old, new):
    return {"type": "Replace", "pattern": {"String": old}, "content": new}


def strip(content, start, stop):
    return {"type": "Strip", "content": content, "start": start, "stop": stop}


def metaspace(**options):
    return {"type": "Metaspace", "replacement": MARK} | options


def decoder(*members):
    return {"type": "Sequence", "decoders": list(members)}


def base(corpus):
    """Trained as SentencePiece does: <unk>, <s>, </s>, the bytes, then pieces over whole lines with U+2581 for spaces."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.decoder = decoders.Fuse()
    special_tokens = ["<unk>", "<s>", "</s>"] + BYTE_NAMES
    letters = [chr(c) for c in range(0x21, 0x7F)]
    trainer = trainers.BpeTrainer(vocab_size=3 + 256 + 330, initial_alphabet=letters + [MARK, "\u00e9"], limit_alphabet=130,
                                  special_tokens=special_tokens, show_progress=False, max_token_length=12)
    words = [f"{MARK}{word}" for line in corpus for word in line.split()]
    tokenizer.train_from_iterator(words + [MARK * 4 + w[1:] for w in words[:40]], trainer)
    result = json.loads(tokenizer.to_str())
    result["added_tokens"] = [special(token, id) for id, token in enumerate(special_tokens[:3])]
    piece = lambda kind, name, type_id: {kind: {"id": name, "type_id": type_id}}
    result["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [piece("SpecialToken", "<s>", 0), piece("Sequence", "A", 0)],
        "pair": [piece("SpecialToken", "<s>", 0), piece("Sequence", "A", 0), piece("SpecialToken", "<s>", 1), piece("Sequence", "B", 1)],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    return result


def cases(corpus):
    plain = base(corpus)
    prepend = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": MARK}, replace(" ", MARK)]}
    to_text = decoder(replace(MARK, " "), {"type": "ByteFallback"}, {"type": "Fuse"}, strip(" ", 1, 0))
    llama = plain | {"normalizer": prepend, "pre_tokenizer": None, "decoder": to_text}
    yield "llama2", llama
    first = metaspace(prepend_scheme="first", split=False)
    yield "mistral", plain | {"normalizer": None, "pre_tokenizer": first, "decoder": to_text}
    size = len(plain["model"]["vocab"])  # The reference numbers added tokens anew where ids leave a gap.
    more = [special("<|im_start|>", size), special("<|im_end|>", size + 1),
            special("<mask>", size + 2, special=False, normalized=True)]
    yield "minicpm", llama | {"added_tokens": plain["added_tokens"] + more}
    for name, options, end in (
        ("always", metaspace(prepend_scheme="always", split=True), metaspace(prepend_scheme="always", split=True)),
        ("first", metaspace(prepend_scheme="first", split=True), metaspace(prepend_scheme="first", split=True)),
        ("never", metaspace(prepend_scheme="never", split=True), metaspace(prepend_scheme="never", split=True)),
    ):
        yield f"metaspace_{name}", plain | {"normalizer": None, "pre_tokenizer": options, "decoder": end}
    # The reference panics where `stop` meets a text that has nothing else; it is tested by hand.
    yield "strip_each", llama | {"decoder": decoder(strip(MARK, 2, 0), {"type": "ByteFallback"}, {"type": "Fuse"})}
    yield "strip_text", llama | {"decoder": decoder(replace(MARK, " "), {"type": "ByteFallback"}, {"type": "Fuse"},
                                                    strip(" ", 2, 0), strip("T", 1, 0))}


def id_lists(tokenizer, seed):
    """Ids as a model might give them: runs of bytes, whole, cut and broken characters, spaces, special and unknown ids."""
    generator = random.Random(seed)
    byte_id = lambda byte: tokenizer.token_to_id(BYTE_NAMES[byte])
    size = tokenizer.get_vocab_size()
    for _ in range(40):
        ids = []
        for _ in range(generator.randint(1, 7)):
            kind = generator.randrange(7)
            if kind < 2:
                character = chr(generator.choice([0x41, 0xE9, 0x4E2D, 0x1F600])).encode()
                ids += [byte_id(byte) for byte in character[: generator.randint(1, 4)]]
            elif kind == 2:
                ids.append(byte_id(generator.randrange(256)))
            elif kind == 3:
                ids.append(tokenizer.token_to_id(MARK))
            elif kind == 4:
                ids.append(generator.choice([0, 1, 2, size, size + 7]))
            else:
                ids.append(generator.randrange(259, size))
        yield ids + [tokenizer.token_to_id(MARK)] * generator.choice([0, 0, 1, 3])
