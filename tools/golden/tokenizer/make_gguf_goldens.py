"""Adds GGUF vocabularies to tests/golden/tokenizer: made of the stored tokenizer.json files, with reference ids.

Usage: make_gguf_goldens.py tests/golden/tokenizer   (after make_tokenizer_goldens.py)
`llama` vocabularies: ids from llama.cpp; their decoded texts, and all of byte-level ones, from Hugging Face. The file
gguf/pre_tokenizers.jsonl has the ids for the vocabulary of gpt2.json behind each pre-tokenizer.
"""

import json
import pathlib
import sys

import gguf_vocabularies
import regex
from llama_cpp import Llama
from tokenizers import Tokenizer

GPT2_END = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CASED = [r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"]
ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
CASED_END = r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = ENDING + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + GPT2_END
KIMI = "|".join([
    r"[\p{Han}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+" + ENDING + "?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*" + ENDING + "?",
    r"\p{N}{1,3}", GPT2_END])
LATIN_TO_ADLAM = (  # The letters of deepseek-llm.
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376"
    "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-"
    "\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a"
    "\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4"
    "\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc"
    "\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-"
    "\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-"
    "\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-"
    "\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-"
    "\U000118df\U0001e900-\U0001e943"
)
SPLITS = {
    "deepseek-llm": ["[\r\n]", r"\s?[" + LATIN_TO_ADLAM + "]+", "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", r"\s+$",
                     "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}+"],
    "llama-bpe": [LLAMA3], "llama3": [LLAMA3], "llama-v3": [LLAMA3], "glm4": [LLAMA3], "chatglm-bpe": [LLAMA3],
    "qwen2": [LLAMA3.replace("{1,3}", "")], "deepseek-r1-qwen": [LLAMA3.replace("{1,3}", "")],
    "deepseek-coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"],
    "deepseek-v3": [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"],
    "tekken": ["|".join(CASED + [CASED_END])],
    "youtu": ["[\uac00-\ud7a3\u3131-\u318e]+|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+"
              "|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
              "|".join([CASED[0] + ENDING + "?", CASED[1] + ENDING + "?", CASED_END])],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
                r"\p{N}+", "[0-9][0-9][0-9]"],
}
TEXTS = [
    "Call me Ishmael. Some years ago - never mind how long: HELLO'S I'M we'll don't",
    "for (int i = 0; i < 12345; ++i) {\n\n\tsum += v[i] * 2; }  // \u00bd \u216b \u0661\u0662\u0663\r\n  ",
    "Gr\u00f6\u00dfe, na\u00efve e\u0301t\u00e9 \u212b, \u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440, \u4f60\u597d\u4e16\u754cHan\u3005\u3007 \u3053\u3093\u306b\u3061\u306f\u30ab\u30bf, \uc548\ub155\u3131 \u3105\uff0c\u300c\u5f15\u300d",
    "fooBarBAZ McDonald's X'Y \u01c5a \u02b0b \u4e2da \u4e2dB\u4e2d \ufa0e\u2e80 \U00020000\U0002ebf0\U00031350 \u0939\u093f\u0928\u094d\u0926\u0940",
    "a/b//c\n/d +1-2=3 $4 <|x|> ~^` 1000000 12 3  four    five\u3000six\u00a0seven \U0001f600\U0001f468\u200d\U0001f469  ",
]


def ids_behind(words, tokenizer):
    return [id for word in words for id in tokenizer.encode(word, add_special_tokens=False).ids]


def words_of(name, text):
    """The text split by the patterns one after another, each isolating what it finds."""
    if name == "kimi-k2":
        return [m.group() for m in regex.finditer(KIMI, text, regex.V1)]
    if name in ("qwen2", "deepseek-r1-qwen"):
        import unicodedata
        text = unicodedata.normalize("NFC", text)
    pieces = [text]
    for pattern in SPLITS[name]:
        split = []
        for piece in pieces:
            end = 0
            for match in regex.finditer(pattern, piece, regex.MULTILINE):
                split += [piece[end : match.start()], match.group()]
                end = match.end()
            split.append(piece[end:])
        pieces = [piece for piece in split if piece]
    return pieces


def pre_tokenizers(folder):
    base = json.loads((folder / "gpt2.json").read_text(encoding="utf-8"))
    bytes_only = base | {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}}
    plain = Tokenizer.from_str(json.dumps(bytes_only))
    digits = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, base["pre_tokenizer"]]}
    whole = {"gpt-2": Tokenizer.from_str(json.dumps(base)), "smollm": Tokenizer.from_str(json.dumps(base | {"pre_tokenizer": digits}))}
    whole["starcoder"] = whole["smollm"]
    (folder / "gguf").mkdir(exist_ok=True)
    with open(folder / "gguf/pre_tokenizers.jsonl", "w", encoding="ascii") as out:
        for name in [*SPLITS, "kimi-k2", *whole]:
            for text in TEXTS:
                ids = whole[name].encode(text).ids if name in whole else ids_behind(words_of(name, text), plain)
                out.write(json.dumps({"pre": name, "text": text, "ids": ids}, separators=(",", ":")) + "\n")


def row(text, ids, special, decode):
    result = {"text": text, "ids": ids, "decoded": decode(special, True), "decoded_all": decode(special, False)}
    return result | ({"special_ids": special} if special != ids else {})


def scored(folder, name, document, scores=None, **flags):
    path = folder / f"{name}.gguf"
    gguf_vocabularies.scored(document, path, scores, bos=1, eos=2, **flags)
    model = Llama(model_path=str(path), vocab_only=True, verbose=False)
    if not flags.get("add_space_prefix", True):
        document["decoder"]["decoders"].pop()
    reference = Tokenizer.from_str(json.dumps(document))
    decode = lambda ids, skip: reference.decode(ids, skip_special_tokens=skip)
    texts = [json.loads(line)["text"] for line in open(folder / "llama2.jsonl") if '"text"' in line]
    texts += ["<s>a <s> b</s>c", "  <s>  ", "\u00e9\u00e9 r\u00e9sum\u00e9 \u00e9t\u00e9", "<0x0A><0x41> \u2581x", "\n\n\n   ||||||| |"]
    with open(folder / f"{name}.jsonl", "w", encoding="ascii") as out:
        for text in texts[::2] + texts[-5:]:
            ids = [model.tokenize(text.encode(), add_bos=special, special=True) for special in (False, True)]
            out.write(json.dumps(row(text, *ids, decode), separators=(",", ":")) + "\n")


def scored_cases(folder):
    document = json.loads((folder / "llama2.json").read_text(encoding="utf-8"))
    vocab = document["model"]["vocab"]
    # A character that is no token but part of tokens; scores with many ties.
    spare = [token for token, id in vocab.items() if id > 500][:2]
    for token, new in zip(spare, ["t\u00e9", "\u00e9\u00e9"]):
        if new not in vocab:
            vocab[new] = vocab.pop(token)
    vocab["\u2581\u00b7"] = vocab.pop("\u00e9")
    assert sorted(vocab.values()) == list(range(len(vocab)))
    document["model"]["merges"] = []
    count = max(vocab.values()) + 1
    scored(folder, "scored", json.loads(json.dumps(document)), [float(-(id * 7 % 60)) for id in range(count)])
    extra = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    document["added_tokens"].append({"id": count, "content": "|||"} | extra)
    scored(folder, "scored_no_prefix", document, add_space_prefix=False, add_bos=False, add_eos=True)


def byte_level(folder):
    """A vocabulary with a control token, a user-defined one, and ids at the end that no token has."""
    document = json.loads((folder / "llama3.json").read_text(encoding="utf-8"))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    document["added_tokens"] = [{"id": 407, "content": "<|end|>", "special": True} | flags,
                                {"id": 408, "content": "<mask>", "special": False} | flags]
    document["model"]["ignore_merges"] = True
    document["model"]["vocab"]["\u0120world"] = 406
    document["model"]["merges"] = document["model"]["merges"][:-1]  # So that a token is reached by no merge.
    gguf_vocabularies.byte_level(document, folder / "byte_level.gguf", "llama-bpe", rows=412, bos=407, eos=407)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    decode = lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip)
    texts = [json.loads(line)["text"] for line in open(folder / "llama3.jsonl")]
    with open(folder / "byte_level.jsonl", "w", encoding="ascii") as out:
        for text in texts[::4] + ["hello world<|end|> world<mask>[PAD410]"]:
            ids = tokenizer.encode(text).ids
            out.write(json.dumps(row(text, ids, [407, *ids], decode), separators=(",", ":")) + "\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    pre_tokenizers(folder)
    scored_cases(folder)
    byte_level(folder)


main()
