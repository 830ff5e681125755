"""tokenizer.json, tokenizer_config.json, and how they go with the model."""

import json

from case import GENERATE, INSPECT, TOKENIZE, Case
from config_cases import sparse
from models import TOKENIZER, deepseek
from safetensors_cases import HTML, LFS

BOTH = (TOKENIZE, GENERATE, INSPECT)
SETTINGS = "tokenizer_config.json"


def edit_case(name, edit, *says, commands=BOTH, file=TOKENIZER):
    """`edit`(tokenizer) changes it, or gives another."""

    def make(folder):
        model = deepseek()
        changed = edit(model.tokenizer)
        if changed is not None:
            model.tokenizer = changed
        return model.write(folder / "model")

    return Case("tokenizer: " + name, make, file, *says, commands=commands)


def text_case(name, content, *says, file=TOKENIZER, commands=BOTH):
    def make(folder):
        model = deepseek()
        right = json.dumps(model.tokenizer).encode()
        model.files[file] = content(right) if callable(content) else content
        return model.write(folder / "model")

    return Case("tokenizer: " + name, make, file, *says, commands=commands)


def texts():
    for name, content in {
        "empty": b"",
        "white space": b"   ",
        "a list": b"[]",
        "null": b"null",
        "an empty object": b"{}",
        "an LFS pointer": LFS,
        "an HTML page": HTML,
        "UTF-16": json.dumps({"model": {}}).encode("utf-16"),
        "gzipped": b"\x1f\x8b\x08\x00" + b"abc" * 20,
        "a SentencePiece model": b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02\n\x0c\n\x03<s>",
        "nested 100,000 deep": b'{"model":' * 100_000,
        "100,000 brackets": b"[" * 100_000,
        "100,000 brackets for a token's id": b'{"model":{"vocab":{"a":' + b"[" * 100_000,
        "100,000 brackets for merges": b'{"model":{"merges":' + b"[" * 100_000,
        "two documents": b"{}{}",
        "a truncated escape": b'{"model": "\\u12',
    }.items():
        yield text_case(name, content)
    yield text_case("with a byte order mark", lambda right: b"\xef\xbb\xbf" + right)
    yield text_case("with NUL behind it", lambda right: right + b"\0")
    yield text_case("with NUL and text behind it", lambda right: right + b'\0{"model": 1}')
    yield text_case("truncated", lambda right: right[: len(right) // 2], "JSON")
    yield text_case("without its last byte", lambda right: right[:-1], "JSON")
    yield text_case("with bad UTF-8", lambda right: right.replace(b'"ab"', b'"a\xff"'))
    yield text_case("with half a surrogate pair", lambda right: right.replace(b'"ab"', b'"a\\ud800"'), "JSON")
    yield text_case("with a raw line break", lambda right: right.replace(b'"ab"', b'"a\n"'), "JSON")
    yield text_case("with NaN for an id", lambda right: right.replace(b'"ab": 8', b'"ab": NaN'), "JSON")
    yield text_case("with 1e400 for an id", lambda right: right.replace(b'"ab": 8', b'"ab": 1e400'))
    yield text_case("with the model twice", lambda right: right[:-1] + b',"model":{}}', "model", "twice")
    yield text_case("with the vocabulary twice", lambda right: right.replace(b'"merges"', b'"vocab":{},"merges"'), "model.vocab", "twice")
    yield text_case("with the merges twice", lambda right: right.replace(b'"merges"', b'"merges":[],"merges"'), "model.merges", "twice")
    yield text_case("with a token twice", lambda right: right.replace(b'"ab": 8', b'"ab": 8, "ab": 14'), "model.vocab.ab", "twice")
    yield text_case("with a token of a megabyte and a bad id", lambda right: right.replace(b'"ab": 8', b'"' + b"a" * 1_000_000 + b'": -8'), "model.vocab.aaa")
    yield text_case("with an id twice", lambda right: right.replace(b'"ab": 8', b'"ab": 7'), "model.vocab", "twice")
    yield Case("tokenizer: 100 MB of zeros", sparse(TOKENIZER), TOKENIZER, commands=BOTH)
    yield text_case("a chat template of brackets", b'{"chat_template": ' + b"[" * 1000, file=SETTINGS, commands=(GENERATE, INSPECT))


def vocabulary():
    for value in (-1, -(2**31), 2**31, 2**40, 2**63, 2**64, 1.5, "8", None, True, [8], {}):
        yield edit_case(f"an id of {value!r}", lambda t, v=value: t["model"]["vocab"].update(ab=v), "model.vocab.ab")
    for key, values in {
        "vocab": (None, [], "vocab", 3, [["a", 0]]),
        "merges": (None, {}, "merges", 3),
    }.items():
        for value in values:
            yield edit_case(f"{key} {value!r}", lambda t, k=key, v=value: t["model"].update({k: v}), f"model.{key}")
        yield edit_case(f"{key} missing", lambda t, k=key: t["model"].pop(k) and None, f"model.{key}")
    yield edit_case("an empty vocabulary", lambda t: t["model"].update(vocab={}, merges=[]))
    for merge in ("a", "", "a  b", " a b", "a b c", ["a"], [], ["a", "b", "c"], ["a", 1], [["a"], "b"], 7, None, {}, True, "a\tb"):
        yield edit_case(f"a merge {merge!r}", lambda t, m=merge: t["model"]["merges"].append(m), "model.merges[3]")
    for merge in ("a x", "x a", "x y", "a c", ["a", "c"], "c\0 d"):
        yield edit_case(f"a merge of unknown tokens {merge!r}", lambda t, m=merge: t["model"]["merges"].append(m), "model.merges[3]", "not in the vocabulary")
    for version in ("2.0", "1.1", "", 1, 1.0, [], True):
        yield edit_case(f"version {version!r}", lambda t, v=version: t.update(version=v), "version")
    yield edit_case("model a string", lambda t: t.update(model="BPE"), "model")
    yield edit_case("model missing", lambda t: t.pop("model") and None, "model", "missing")
    for kind in ("Unigram", "WordPiece", "WordLevel", "bpe", "", 7, [], {}):
        yield edit_case(f"model.type {kind!r}", lambda t, k=kind: t["model"].update(type=k), "model.type")
    for key, values in {
        "unk_token": (7, [], True),
        "continuing_subword_prefix": (7, []),
        "end_of_word_suffix": (7, {}),
        "fuse_unk": ("yes", 1),
        "byte_fallback": ("no", 1),
        "ignore_merges": (0, []),
        "dropout": (0.5, "0.1", -1),
    }.items():
        for value in values:
            yield edit_case(f"model.{key} {value!r}", lambda t, k=key, v=value: t["model"].update({k: v}), f"model.{key}")

    def unknown(tokenizer):
        tokenizer["pre_tokenizer"] = None
        tokenizer["model"]["unk_token"] = "<nothing>"

    yield edit_case("an unk_token that is no token", unknown, "model.unk_token", commands=(TOKENIZE, GENERATE))


def added():
    def token(**values):
        right = {"id": 14, "content": "<x>", "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        return {key: value for key, value in (right | values).items() if value is not None}

    for name, values, field in (
        ("without an id", {"id": None}, "added_tokens[2].id"),
        ("without content", {"content": None}, "added_tokens[2].content"),
        ("with id -1", {"id": -1}, "added_tokens[2].id"),
        ("with id 2^31", {"id": 2**31}, "added_tokens[2].id"),
        ("with id 2^63", {"id": 2**63}, "added_tokens[2].id"),
        ("with id \"14\"", {"id": "14"}, "added_tokens[2].id"),
        ("with id 14.5", {"id": 14.5}, "added_tokens[2].id"),
        ("with the id of another", {"id": 12}, "added_tokens[2].id"),
        ("with the id of a token of the vocabulary", {"id": 3}, "added_tokens[2].id"),
        ("with a token of the vocabulary and another id", {"content": "ab"}, "added_tokens[2].id"),
        ("with the content of another", {"content": "<s>"}, "added_tokens[2].content"),
        ("with a number for content", {"content": 7}, "added_tokens[2].content"),
        ("with a list for content", {"content": []}, "added_tokens[2].content"),
        ("with special 1", {"special": 1}, "added_tokens[2].special"),
        ("with lstrip \"true\"", {"lstrip": "true"}, "added_tokens[2].lstrip"),
        ("with normalized 0", {"normalized": 0}, "added_tokens[2].normalized"),
    ):
        yield edit_case(f"an added token {name}", lambda t, v=values: t["added_tokens"].append(token(**v)), field)
    for value in (7, "x", None, [], True):
        yield edit_case(f"an added token {value!r}", lambda t, v=value: t["added_tokens"].append(v), "added_tokens[2]")
    for value in ({}, "x", 7):
        yield edit_case(f"added_tokens {value!r}", lambda t, v=value: t.update(added_tokens=v), "added_tokens")
    yield edit_case("an added token of id 10^9", lambda t: t["added_tokens"].append(token(id=10**9)), "added_tokens[2].id")


def components():
    for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        for value in ("NFC", [], 7, True):
            yield edit_case(f"{key} {value!r}", lambda t, k=key, v=value: t.update({k: v}), key)
        yield edit_case(f"{key} without a type", lambda t, k=key: t.update({k: {}}), f"{key}.type", "missing")
        for kind in ("Mystery", "", "bytelevel", 7, None):
            yield edit_case(f"{key} of type {kind!r}", lambda t, k=key, v=kind: t.update({k: {"type": v}}), f"{key}.type")
        members = {"normalizer": "normalizers", "pre_tokenizer": "pretokenizers", "post_processor": "processors", "decoder": "decoders"}[key]
        yield edit_case(f"{key} a sequence without members", lambda t, k=key: t.update({k: {"type": "Sequence"}}), f"{key}.{members}", "missing")
        yield edit_case(f"{key} a sequence of numbers", lambda t, k=key, m=members: t.update({k: {"type": "Sequence", m: [1]}}), f"{key}.{members}[0]")
        yield edit_case(f"{key} a sequence of an unknown one", lambda t, k=key, m=members: t.update({k: {"type": "Sequence", m: [{"type": "X"}]}}), f"{key}.{members}[0].type")

        def deep(tokenizer, key=key, members=members):
            value = {"type": "Mystery"}
            for _ in range(100):
                value = {"type": "Sequence", members: [value]}
            tokenizer[key] = value

        yield edit_case(f"{key} a sequence of sequences, 100 deep", deep, "nested")
    yield edit_case("normalizer Replace without a pattern", lambda t: t.update(normalizer={"type": "Replace", "content": "x"}), "normalizer.pattern")
    yield edit_case("normalizer Replace of nothing by something", lambda t: t.update(normalizer={"type": "Replace", "pattern": {"String": 3}, "content": "x"}), "normalizer.pattern")
    yield edit_case("normalizer Prepend 7", lambda t: t.update(normalizer={"type": "Prepend", "prepend": 7}), "normalizer.prepend")
    yield edit_case("decoder Replace by Regex", lambda t: t.update(decoder={"type": "Replace", "pattern": {"Regex": "a"}, "content": "x"}), "decoder.pattern")
    yield edit_case("decoder Strip of 2^31", lambda t: t.update(decoder={"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 2**31, "stop": 0}]}), "decoder.decoders[1].start")
    yield edit_case("decoder Strip of two characters", lambda t: t.update(decoder={"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": "ab", "start": 1, "stop": 0}]}), "decoder.decoders[1].content")
    yield edit_case("decoder Metaspace of no character", lambda t: t.update(decoder={"type": "Metaspace", "replacement": ""}), "decoder.replacement")
    special = lambda t: t["post_processor"]["special_tokens"]
    yield edit_case("a template without its special token", lambda t: special(t).clear(), "post_processor")
    yield edit_case("a template whose id is -1", lambda t: special(t)["<s>"].update(ids=[-1]), "post_processor.special_tokens.<s>.ids[0]")
    yield edit_case("a template whose id is 2^31", lambda t: special(t)["<s>"].update(ids=[2**31]), "post_processor.special_tokens.<s>.ids[0]")
    yield edit_case("a template whose id is beyond the vocabulary", lambda t: special(t)["<s>"].update(ids=[999]), "post_processor", "999")
    yield edit_case("a template of sequence B", lambda t: t["post_processor"].update(single=[{"Sequence": {"id": "B"}}]), "post_processor.single[0]")
    yield edit_case("a template without the text", lambda t: t["post_processor"].update(single=[]), "post_processor.single")
    yield edit_case("a template with the text twice", lambda t: t["post_processor"].update(single=[{"Sequence": {"id": "A"}}] * 2), "post_processor.single[1]")


def split(regex, behavior="Isolated", **more):
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": False} | more


def regexes():
    place = "pre_tokenizer.pattern.Regex"
    for regex in (
        "(", ")", "[", "[a", "*", "+", "?", "a{2,1}", "a{99999}", "(?", "(?<", "(?P<n>", "\\", "\\p{", "\\p{Nonsense}", "\\pL", "(?R", "[z-a]",
        "[[:alpha:]]", "[a&&b]", "[a[b]]", "\\K", "\\G(", "\\X", "(?x)a b", "\\u12", "\\uD800", "(?C1)a(", "(*NO_SUCH)a", "\\1", "(?1)", "\\xZZ{",
    ):
        yield edit_case(f"the regex {regex}", lambda t, r=regex: t.update(pre_tokenizer=split(r)), place)
    text = "a" * 40 + "!x 1 b"  # With what the patterns end in, so that it is looked for.
    evil = (TOKENIZE[:-1] + (text,), ("generate", "-m", "{model}", "-p", text, "-n", "1"))
    for regex in ("(a+)+$x", "(a|a)*$x", "(a|aa)+$x", "(a+)*[!]?$x", "(.*a){20}x", "(?:a?){40}a{41}x", "((a+)+)+x", "(a+)*\\d"):
        yield edit_case(f"the catastrophic regex {regex}", lambda t, r=regex: t.update(pre_tokenizer=split(r)), place, commands=evil)
    yield edit_case("a regex that calls itself", lambda t: t.update(pre_tokenizer=split("((?1))")), place, commands=(TOKENIZE, GENERATE))
    yield edit_case("a regex of 100 KB", lambda t: t.update(pre_tokenizer=split("a" * 100_000)), place)
    yield edit_case("a regex of 60,000 groups", lambda t: t.update(pre_tokenizer=split("(" * 30_000 + ")" * 30_000)), place)
    yield edit_case("a regex of nested repetitions", lambda t: t.update(pre_tokenizer=split("((((((a{1,100}){1,100}){1,100}){1,100}){1,100}){1,100})")), place)
    yield edit_case("a regex with bad UTF-8 in it", lambda t: t.update(pre_tokenizer=split("\\xff(")), place)
    yield edit_case("a normalizer's catastrophic regex", lambda t: t.update(normalizer={"type": "Replace", "pattern": {"Regex": "(a+)+$x"}, "content": ""}), "normalizer.pattern.Regex", commands=evil)
    for value in ("a", None, 7, {}, {"Regexp": "a"}, {"Regex": 7}, {"Regex": None}, {"String": 7}):
        yield edit_case(f"Split with pattern {value!r}", lambda t, v=value: t.update(pre_tokenizer={"type": "Split", "pattern": v, "behavior": "Isolated"}), "pre_tokenizer.pattern")
    for value in ("isolated", "", 7, None, []):
        yield edit_case(f"Split with behavior {value!r}", lambda t, v=value: t.update(pre_tokenizer=split("a", v)), "pre_tokenizer.behavior")
    yield edit_case("Split with invert 1", lambda t: t.update(pre_tokenizer=split("a", invert=1)), "pre_tokenizer.invert")


def growing(content, repeats):
    return {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": content}] * repeats}


def growths():
    """A few lines that would make hundreds of megabytes."""

    def replace(text, content):
        return {"type": "Replace", "pattern": {"String": text}, "content": content}

    def long_token(tokenizer):
        tokenizer["model"]["vocab"]["z" * 200] = 14
        tokenizer["decoder"] = replace("z", "z" * 1_000_000)

    def long_added(tokenizer):
        tokenizer["added_tokens"] += [{"id": 14 + i, "content": f"<z{i}>", "normalized": True} for i in range(3000)]
        tokenizer["normalizer"] = replace("z", "z" * 60_000)

    pieces = (TOKENIZE[:-1] + ("a<s>" * 2000,),)
    yield edit_case("replacements that grow the text 10^12 times", lambda t: t.update(normalizer=growing("a" * 100, 6)), "normalizer", commands=(TOKENIZE, GENERATE))
    yield edit_case("a replacement that is a megabyte", lambda t: t.update(normalizer=growing("a" * 1_000_000, 2)), "normalizer", commands=(TOKENIZE, GENERATE))
    yield edit_case("a replacement that is long in each of 2000 pieces", lambda t: t.update(normalizer=replace("a", "a" * 50_000)), "normalizer", commands=pieces)
    yield edit_case("3000 added tokens that the normalizer makes long", long_added, "normalizer", commands=(TOKENIZE,))
    prefixes = [split("."), {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "split": True}] * 100
    yield edit_case("a prefix for each character, 100 times", lambda t: t.update(normalizer=replace("a", "b" * 2000), pre_tokenizer={"type": "Sequence", "pretokenizers": prefixes}), "pre_tokenizer", commands=(TOKENIZE, GENERATE))
    yield edit_case("a token of which the decoder makes 200 MB", long_token, "decoder")


def settings_case(name, value, *says, commands=BOTH):
    def make(folder):
        model = deepseek()
        model.files[SETTINGS] = value if isinstance(value, bytes) else json.dumps(value).encode()
        return model.write(folder / "model")

    return Case("tokenizer_config: " + name, make, *says, commands=commands)


def settings():
    for name, content in {"empty": b"", "a list": b"[]", "null": b"null", "an LFS pointer": LFS, "an HTML page": HTML, "truncated": b'{"add_bos_token": tr', "with a byte order mark": b"\xef\xbb\xbf{}", "nested 100,000 deep": b'{"a":' * 100_000}.items():
        yield settings_case(name, content, SETTINGS)
    for value in (1, "true", [], {}):
        yield settings_case(f"add_bos_token {value!r}", {"add_bos_token": value}, SETTINGS, "add_bos_token")
    for value in (7, [], {}, True, {"content": 7}):
        yield settings_case(f"bos_token {value!r}", {"add_bos_token": True, "bos_token": value}, SETTINGS, "bos_token")
    yield settings_case("a bos_token that is no token", {"add_bos_token": True, "bos_token": "<nothing>"}, SETTINGS, "bos_token")
    for value in (7, {}, True, [1], [{"name": "default"}]):
        yield settings_case(f"chat_template {value!r}", {"chat_template": value}, SETTINGS, "chat_template", commands=(INSPECT, GENERATE))


def together():
    """A tokenizer and a model that do not go together."""

    def beyond(tokenizer):
        tokenizer["model"]["vocab"]["ef"] = 16
        tokenizer["model"]["merges"].append("e f")

    for name, edit in (
        ("a token that the model has no row for", beyond),
        ("an added token that the model has no row for", lambda t: t["added_tokens"].append({"id": 16, "content": "<x>"})),
    ):
        yield edit_case(name, edit, "id 16", "vocab_size", commands=(GENERATE, INSPECT))


def cases():
    yield from texts()
    yield from vocabulary()
    yield from added()
    yield from components()
    yield from regexes()
    yield from growths()
    yield from settings()
    yield from together()
