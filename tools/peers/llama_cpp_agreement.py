"""Holds mla against llama.cpp on one GGUF file: perplexity of a text, greedy continuations of prompts.

    pip install llama-cpp-python numpy
    python tools/peers/llama_cpp_agreement.py --mla build/mla -m model.gguf -f text.txt

llama.cpp rounds activations (to 8 bits beside quantized weights) where mla computes in float32, so the two differ by a
little. Where greedy texts part, the gap between llama.cpp's two best logits is held against the differences of all logits
of the two engines at that place: a gap below the largest of them is a tie that rounding decides.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import llama_cpp
import numpy as np

PROMPTS = [
    "The capital of France is",
    "Once upon a time, a dog chased another dog",
    "Water boils when",
    "def fibonacci(n):",
    "In 1969, the first man on the moon",
]


def plain_model_parameters(original=llama_cpp.llama_cpp.llama_model_default_params):
    """Keeps llama.cpp to its plain code: this is about agreement, and its AMX code crashes on some virtual machines."""
    parameters = original()
    parameters.use_extra_bufts = False
    return parameters


def run(arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def llama_perplexity(model, ids, context):
    """The scheme of llama.cpp's perplexity tool: the first half of each window is given. As in mla the first token behind
    it counts too, which the tool leaves out."""
    bos = model.token_bos()
    add_bos = bool(ids) and ids[0] == bos
    losses = []
    for start in range(0, len(ids) - context + 1, context):
        window = list(ids[start : start + context])
        if add_bos:
            window[0] = bos
        model.reset()
        model.eval(window)
        logits = model.scores[context // 2 - 1 : context - 1].astype(np.float64)
        targets = np.array(window[context // 2 :])
        largest = logits.max(-1, keepdims=True)
        normalizer = largest[:, 0] + np.log(np.exp(logits - largest).sum(-1))
        losses.append(normalizer - logits[np.arange(len(targets)), targets])
    return float(np.exp(np.concatenate(losses).mean())), sum(map(len, losses))


def mla_last_logits(options, ids):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "logits.npy"
        run([options.mla, "logits", "--precision", "f32", "-m", options.model, "--ids", ",".join(map(str, ids)), "-o", str(file)])
        return np.load(file)[-1].astype(np.float64)


def llama_greedy(model, ids, count):
    model.reset()
    model.eval(ids)
    chosen = []
    steps = []
    for _ in range(count):
        steps.append(model.scores[model.n_tokens - 1].astype(np.float64))
        chosen.append(int(steps[-1].argmax()))
        if chosen[-1] == model.token_eos():
            break
        model.eval([chosen[-1]])
    return chosen, steps


def compare_greedy(options, model, prompt):
    ids = model.tokenize(prompt.encode(), add_bos=True, special=True)
    ours = [int(word) for word in run([options.mla, "tokenize", "--special", "-m", options.model, prompt]).split()]
    if ours != ids:
        return f"tokens differ: {ours} and {ids}", False
    theirs, steps = llama_greedy(model, ids, options.tokens)
    text = run([options.mla, "generate", "--precision", "f32", "-m", options.model, "--ids", ",".join(map(str, ids)), "-n",
                str(options.tokens), "--temp", "0", "--print-ids"])  # fmt: skip
    mine = [int(word) for word in text.replace(",", " ").split()]
    length = min(len(mine), len(theirs))
    apart = next((i for i in range(length) if mine[i] != theirs[i]), None)
    if apart is None:
        return f"{length} tokens identical", True
    peer = steps[apart]
    difference = np.abs(peer - mla_last_logits(options, ids + theirs[:apart]))
    gap = peer[theirs[apart]] - peer[mine[apart]]
    tie = gap <= difference.max()
    return (f"identical up to token {apart}; there llama.cpp's two best are {gap:.3f} apart, the engines' logits differ by "
            f"{difference.mean():.3f} on average and {difference.max():.3f} at most: "
            f"{'a tie within rounding' if tie else 'NOT a tie'}"), tie  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mla", default="build/mla")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("-f", "--file", help="text for the perplexity")
    parser.add_argument("-c", "--context", type=int, default=512)
    parser.add_argument("-n", "--tokens", type=int, default=64)
    parser.add_argument("-p", "--prompt", action="append")
    parser.add_argument("--tolerance", type=float, default=0.005, help="of the perplexities' ratio")
    options = parser.parse_args()
    good = True
    llama_cpp.llama_cpp.llama_model_default_params = plain_model_parameters
    model = llama_cpp.Llama(options.model, n_ctx=max(options.context, 256), n_batch=options.context, logits_all=True,
                            verbose=False)  # fmt: skip
    if options.file:
        ids = model.tokenize(Path(options.file).read_bytes(), add_bos=True, special=False)
        theirs, count = llama_perplexity(model, ids, options.context)
        printed = run([options.mla, "perplexity", "--precision", "f32", "-m", options.model, "-f", options.file,
                       "-c", str(options.context)])  # fmt: skip
        mine = {key: float(re.search(rf"{key} = ([0-9.]+)", printed)[1]) for key in ("ppl", "scored")}
        ratio = mine["ppl"] / theirs
        good &= abs(ratio - 1) <= options.tolerance
        print(f"perplexity: mla {mine['ppl']:.4f} ({mine['scored']:.0f} tokens), llama.cpp {theirs:.4f} "
              f"({count} tokens), ratio {ratio:.5f}")  # fmt: skip
    for prompt in options.prompt or PROMPTS:
        text, same = compare_greedy(options, model, prompt)
        good &= same
        print(f"{prompt!r}: {text}")
    sys.exit(0 if good else 1)


main()
