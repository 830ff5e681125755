"""Writes tests/golden/tokenizer: small tokenizers, one per component or option, and what Hugging Face makes of texts.

Usage: make_tokenizer_goldens.py tests/golden/tokenizer
Each NAME.json is a tokenizer.json; NAME.jsonl has one line a text: its ids without and with special tokens, and the
text decoded again with and without special tokens; and for some, lines of ids to decode that no text has.
"""

import copy
import json
import pathlib
import sys

import sentencepiece_cases
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

CORPUS = [
    "In the beginning God created the heaven and the earth. And the earth was without form, and void.",
    "Call me Ishmael. Some years ago - never mind how long precisely - having little or no money in my purse,",
    "for (int i = 0; i < n; ++i) { sum += values[i] * 2; }  // don't, we'll, it's, they've",
    "if x == 10:\n    return {'a': 1, 'b': 2}\n\n\tprint(\"hello world\", 12345)",
    "Größe, naïve, Ärger, été, señor, Привет мир, κόσμε, 你好世界, こんにちは, 안녕하세요, שלום, مرحبا, नमस्ते",
]

TEXTS = CORPUS + [
    "", " ", "  ", "\n", "\r\n", "\t\t x", "a", " a", "a ", "    four spaces", "trailing   ", "line\n\n\nbreaks \n x",
    "Hello world!", "HELLO'S I'M WE'LL don't d\u2019accord \u017fhe'\u017f it'S",
    "1 12 123 1234 12345 3.14 1,000,000 \u0661\u0662\u0663 \u00bd \u216b \u0e51\u0e52 a1b22c333",
    "e\u0301 \u00e9 o\u0302\u0323 A\u030a \u212b \ufb01ne \u3392 \u1e9b\u0323 \u0130I\u0131i \u1fb3 \u03a3\u03c3\u03c2",
    "\uac00\u1100\u1161\u11a8 \u0915\u094d\u0937\u093f \u0e01\u0e33 \u0627\u0644\u0644\u0647",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f 1\ufe0f\u20e3",
    "\x00\x01\x02\x7f\x80\x9f\u00a0\u00ad\u200b\u2028\u2029\ufeff\ufffd\U0010ffff\ue000",
    "\u3000full\u3000width \uff21\uff22\uff11 \u4e00\u9fa5\u9fa6\u3040\u309f\u30a0\u30ff\u3007",
    "new in Unicode: \u1c89 \U00010d40 \U0001e4f0 \U0002ebf0 \U0001fae9 \U000105c0 \U0001e5d0 \u0897 \U00016d40",
    "[USER]hi[/USER] [USER] hi [BOT][BOT]  x[BOT]y \t[BOT]\n", "<mask> a<mask> <mask>b <mask>, _<mask> \u0301<mask> <mask>",
    "<|end|> <|end|><|end of text|><|endo <|<|end|>", "Cafe\u0301 CAF\u00c9 cafe\u0301s Word word WORD words",
    "x" * 70, "ab" * 40 + " " + " " * 50, "#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "a,b;c--d  e..f!!", "http://x.y/z?q=1&r=%20#top",
    "\u2581under\u2581score _ __init__ \u0120Hello \u010a", "tab\tnew\nvt\x0bff\x0ccr\rnel\x85end",
    "'s't're've'm'll'd 'S 'RE x's' '", "\U0001d7d8\U0001d400 \U00010400\U00010428 \u01c5 \u02b0 \u20ac\u00a3$ \u2211\u221a",
]

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
DEEPSEEK = [
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
]
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
GPT2 = BYTES | {"use_regex": True}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def normalizers(*members):
    return {"type": "Sequence", "normalizers": list(members)}


def added(content, **flags):
    defaults = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return {"content": content} | defaults | flags


def train(pre_tokenizer, decoder, alphabet, size, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    special = [options["unk_token"]] if "unk_token" in options else []
    special += [f"<0x{b:02X}>" for b in range(256)] if options.get("byte_fallback") else []
    extra = {k: v for k, v in options.items() if k in ("continuing_subword_prefix", "end_of_word_suffix")}
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False,
                                  special_tokens=special, **extra)
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    result = json.loads(tokenizer.to_str())
    result["added_tokens"] = []
    return result


def byte_level():
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return train(pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel(), alphabet, 256 + 150)


def characters(**options):
    """Plain BPE over characters, of which it knows only ASCII letters and a few more."""
    splitter = pre_tokenizers.Split(Regex(r"\s+"), "isolated")
    corpus_alphabet = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,\u00e9")
    result = train(splitter, decoders.Fuse(), corpus_alphabet, 180, **options)
    known = {c for c in corpus_alphabet}
    keep = lambda token: all(c in known for c in token.replace("##", "").replace("</w>", ""))
    marks = set(options.get("unk_token", "").split()) | {f"<0x{b:02X}>" for b in range(256)}
    model = result["model"]
    tokens = [t for t in model["vocab"] if keep(t) or t in marks]
    model["vocab"] = {t: i for i, t in enumerate(tokens)}
    prefix = len(options.get("continuing_subword_prefix", ""))
    joined = lambda a, b: a + b[prefix:]
    model["merges"] = [(a, b) for a, b in model["merges"] if {a, b, joined(a, b)} <= set(tokens)]
    return result


def with_added(base, tokens):
    result = copy.deepcopy(base)
    vocab = result["model"]["vocab"]
    fresh = max(vocab.values())
    for token in tokens:
        known = vocab.get(token["content"])
        fresh += known is None
        result["added_tokens"].append({"id": fresh if known is None else known} | token)
    return result


def cases():
    base = byte_level()
    yield "gpt2", base
    yield "no_pre_tokenizer", base | {"pre_tokenizer": None}
    yield "bytes_only", base | {"pre_tokenizer": BYTES}
    yield "prefix_space", base | {"pre_tokenizer": GPT2 | {"add_prefix_space": True}}
    yield "prefix_space_each", base | {"pre_tokenizer": sequence(split(r"\d+"), BYTES | {"add_prefix_space": True})}
    yield "llama3", base | {"pre_tokenizer": sequence(split(LLAMA3), BYTES)}
    yield "deepseek", base | {"pre_tokenizer": sequence(*map(split, DEEPSEEK), BYTES)}
    yield "digits_individual", base | {"pre_tokenizer": sequence({"type": "Digits", "individual_digits": True}, GPT2)}
    yield "digits_contiguous", base | {"pre_tokenizer": sequence({"type": "Digits", "individual_digits": False}, BYTES)}
    yield "bytes_then_split", base | {"pre_tokenizer": sequence(BYTES, split("\u0120|\u010a"))}
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            name = f"split_{behavior.lower()}{'_invert' * invert}"
            yield name, base | {"pre_tokenizer": sequence(split(r"[\s,.;-]", behavior, invert), BYTES)}
    yield "split_string", base | {"pre_tokenizer": sequence(split(".", "Isolated", kind="String"), BYTES)}
    yield "split_empty_matches", base | {"pre_tokenizer": sequence(split(r"x*|(?=b)", "Isolated"), BYTES)}
    yield "regex_classes", base | {"pre_tokenizer": sequence(split(r"\w+|\h|[^\w\s]{2,}|[\u00e0-\u00ff]|^\W|\P{L}$"), BYTES)}
    for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase"):
        yield form.lower(), base | {"normalizer": {"type": form}}
    replace = {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}
    literal = {"type": "Replace", "pattern": {"String": "e"}, "content": "\u00e9"}
    yield "replace", base | {"normalizer": normalizers(literal, replace, {"type": "Prepend", "prepend": "\u2581"})}
    merges = [" ".join(pair) for pair in base["model"]["merges"]]
    whole = base["model"] | {"merges": merges, "ignore_merges": True}
    whole["vocab"] = whole["vocab"] | {"\u0120world": 406, "Hello": 407, "Cafe\u00cc\u0123": 408}
    yield "ignore_merges", base | {"model": whole}
    yield from added_cases(base)
    yield from character_cases()
    yield from sentencepiece_cases.cases(CORPUS)


def added_cases(base):
    tokens = [
        added("<|end|>", special=True), added("<|end of text|>", special=True), added("<|"),
        added("<mask>", single_word=True), added("[USER]", rstrip=True), added("[BOT]", lstrip=True, rstrip=True),
        added("[/USER]", lstrip=True, special=True), added("\u2581under", special=True), added("\u0120Hello"), added("the"),
    ]
    yield "added", with_added(base, tokens)
    lower = {"type": "Lowercase"}
    normalized = [token | {"normalized": not token["special"]} for token in tokens] + [added("WORD", normalized=True)]
    yield "added_normalized", with_added(base, normalized) | {"normalizer": lower}
    both = [token | {"normalized": i % 2 == 0 and not token["special"]} for i, token in enumerate(tokens)]
    yield "added_mixed", with_added(base, both) | {"normalizer": normalizers({"type": "NFC"}, lower)}
    special = with_added(base, [added("<s>", special=True), added("</s>", special=True)])
    piece = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    text = lambda name: {"Sequence": {"id": name, "type_id": 0}}
    ids = {t["content"]: {"id": t["content"], "ids": [t["id"]], "tokens": [t["content"]]} for t in special["added_tokens"]}
    template = {"type": "TemplateProcessing", "single": [piece("<s>"), text("A"), piece("</s>"), piece("</s>")],
                "pair": [piece("<s>"), text("A"), piece("</s>"), text("B")], "special_tokens": ids}
    yield "template", special | {"post_processor": template}
    only_bos = template | {"single": [piece("<s>"), text("A")], "pair": [piece("<s>"), text("A"), text("B")]}
    trim = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    yield "template_sequence", special | {"post_processor": {"type": "Sequence", "processors": [trim, only_bos]}}
    yield "no_decoder", special | {"decoder": None}


def character_cases():
    yield "characters", characters()
    yield "unk", characters(unk_token="[UNK]")
    yield "fuse_unk", characters(unk_token="[UNK]", fuse_unk=True)
    yield "prefix", characters(unk_token="[UNK]", continuing_subword_prefix="##")
    yield "suffix", characters(unk_token="[UNK]", end_of_word_suffix="</w>")
    replace = {"type": "Replace", "pattern": {"String": "e"}, "content": "<e>"}
    fallback = characters(unk_token="[UNK]", byte_fallback=True)
    yield "byte_fallback", fallback | {"decoder": {"type": "Sequence", "decoders": [replace, {"type": "Fuse"}]}}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in cases():
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        tokenizer = Tokenizer.from_str(text)
        with open(folder / f"{name}.jsonl", "w", encoding="ascii") as out:
            for sample in TEXTS[::3] if name in sentencepiece_cases.SHORT else TEXTS:
                ids = tokenizer.encode(sample, add_special_tokens=False).ids
                special = tokenizer.encode(sample).ids
                row = {"text": sample, "ids": ids, "decoded": tokenizer.decode(special),
                       "decoded_all": tokenizer.decode(special, skip_special_tokens=False)}
                row |= {"special_ids": special} if special != ids else {}
                row = {k: v for k, v in row.items() if k not in ("decoded", "decoded_all") or v != sample}
                out.write(json.dumps(row, separators=(",", ":")) + "\n")
            if content["model"].get("byte_fallback") and tokenizer.token_to_id(sentencepiece_cases.MARK) is not None:
                for ids in sentencepiece_cases.id_lists(tokenizer, name):
                    row = {"decode": ids, "decoded": tokenizer.decode(ids), "decoded_all": tokenizer.decode(ids, skip_special_tokens=False)}
                    out.write(json.dumps(row, separators=(",", ":")) + "\n")


main()
