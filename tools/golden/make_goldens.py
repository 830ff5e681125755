"""Regenerates every golden checkpoint: python tools/golden/make_goldens.py [--only NAME ...]."""

import argparse
import copy
import re
import shutil
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers
from checkpoint_io import plain_tensors, storage_tensors, write_checkpoint, write_json
from numpy_families import load
from random_weights import random_tensors
from random_weights_llama import random_llama_tensors
from random_weights_mla import has_zero_experts, with_zero_experts
from torch_llama import TYPES as LLAMA_TYPES
from torch_reference import greedy, load_model, model_class, prompt_logits
from variants import all_variants
from variants_dsa import dsa_variants
from variants_llama import all_llama_variants
from variants_mla import mla_variants

DEFAULT_OUTPUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "checkpoints"
CONTINUATION = 24
MIN_GREEDY_MARGIN = 2e-3
MIN_ROUTING_MARGIN = 1e-4
MIN_INDEX_MARGIN = 2e-5
MAX_NUMPY_DIFFERENCE = 1e-4
SIZE_LIMIT = 16_000_000
ATTEMPTS = 100


class Unsuitable(Exception):
    """This prompt leaves a decision to rounding; try another one."""


def stop_tokens(variant):
    """Special tokens stay out of the references, so that these hold whether or not generation stops at them."""
    ids = [variant.config["bos_token_id"], variant.config["eos_token_id"]]
    extra = variant.generation_config.get("eos_token_id", [])
    return set(ids + (extra if isinstance(extra, list) else [extra]))


def write_plain_copy(variant, tensors, directory):
    """A float32 checkpoint for the reference to load, where it cannot compute with the stored one itself."""
    config = {key: value for key, value in variant.config.items() if key != "quantization_config"}
    write_checkpoint(directory, config, tensors)


def write_variant(variant, directory, seed):
    """Writes the checkpoint and returns the reference model."""
    random = random_llama_tensors if variant.config["model_type"] in LLAMA_TYPES else random_tensors
    stored = storage_tensors(variant, random(variant, seed))
    with tempfile.TemporaryDirectory() as scratch:
        if variant.naming != "published":
            write_checkpoint(Path(scratch), variant.config, with_zero_experts(variant, stored))
            kept = model_class(scratch).from_pretrained(scratch, dtype=stored["model.norm.weight"].dtype)
            kept.save_pretrained(directory, save_original_format=variant.naming == "save_pretrained")
            return load_model(directory)
        write_checkpoint(directory, variant.config, stored, variant.shards, variant.generation_config)
        if not variant.config.get("conv1d_layout", True):
            turned = {k: v.T.contiguous() if re.search(r"c_\w+\.weight", k) else v for k, v in stored.items()}
            write_plain_copy(variant, plain_tensors(turned), Path(scratch))
            return load_model(scratch)
        if variant.dtype != "fp8" and not has_zero_experts(variant):
            return load_model(directory)
        write_plain_copy(variant, with_zero_experts(variant, plain_tensors(stored)), Path(scratch))
        return load_model(scratch)


def reference_for(variant, directory, model, seed):
    """Chooses a prompt whose greedy continuation does not hang on rounding; returns (reference, logits)."""
    allowed = sorted(set(range(variant.config["vocab_size"])) - stop_tokens(variant))
    numpy_model = load(directory)
    for attempt in range(ATTEMPTS):
        prompt = np.random.default_rng([seed, attempt]).choice(allowed, variant.prompt_tokens, variant.repeats).tolist()
        try:
            check_exchanges(variant, directory, prompt)
            return check_prompt(variant, model, numpy_model, prompt)
        except Unsuitable:
            continue
    raise RuntimeError(f"{variant.name}: no suitable prompt")


def numpy_check(numpy_model, prompt, continuation, logits):
    """Margins of routing and of an indexer over prompt and continuation, and the largest difference between the two logits."""
    numpy_model.routing_margin = numpy_model.index_margin = np.inf
    prompt_only = numpy_model.logits(np.array(prompt))
    full = numpy_model.logits(np.array(prompt + continuation[:-1]))
    same_position = np.allclose(full[: len(prompt)], prompt_only, atol=1e-9)
    agrees = full[len(prompt) - 1 :].argmax(-1).tolist() == continuation
    if numpy_model.routing_margin < MIN_ROUTING_MARGIN or numpy_model.index_margin < MIN_INDEX_MARGIN:
        raise Unsuitable
    if same_position and not agrees:  # with dynamic scaling, old positions change as the text grows
        raise RuntimeError("the NumPy reference continues differently")
    margins = float(numpy_model.routing_margin), float(numpy_model.index_margin)
    return *margins, float(np.abs(prompt_only - logits).max())


def check_exchanges(variant, directory, prompt):
    """Neither may an indexer's choice hang on rounding under another encoding."""
    for encoding in variant.exchanges if "index_topk" in variant.config else ():
        numpy_model = load(directory, encoding)
        numpy_model.logits(np.array(prompt))
        if numpy_model.index_margin < MIN_INDEX_MARGIN:
            raise Unsuitable


def check_prompt(variant, model, numpy_model, prompt):
    fresh = copy.deepcopy(model)  # dynamic scaling keeps state in the model
    continuation = greedy(fresh, prompt, CONTINUATION)
    if continuation.min_margin < MIN_GREEDY_MARGIN or stop_tokens(variant) & set(continuation.ids):
        raise Unsuitable
    logits = prompt_logits(copy.deepcopy(model), prompt)
    routing_margin, index_margin, difference = numpy_check(numpy_model, prompt, continuation.ids, logits)
    if difference > MAX_NUMPY_DIFFERENCE:
        raise RuntimeError(f"{variant.name}: NumPy differs by {difference}")
    reference = {
        "name": variant.name,
        "about": variant.about,
        "transformers_version": transformers.__version__,
        "torch_version": torch.__version__,
        "prompt_ids": prompt,
        "greedy_ids": continuation.ids,
        "greedy_min_margin": round(continuation.min_margin, 6),
        "routing_min_margin": None if np.isinf(routing_margin) else round(routing_margin, 7),
        "numpy_max_difference": float(f"{difference:.2e}"),
    }
    if "index_topk" in variant.config:
        reference["index_min_margin"] = None if np.isinf(index_margin) else round(index_margin, 7)
    return reference, logits


def write_exchanges(variant, directory, prompt):
    """The logits of the same prompt under other encodings; returns how far NumPy is from them at most."""
    largest = 0.0
    for encoding in variant.exchanges:
        logits = prompt_logits(load_model(directory, encoding), prompt)
        difference = float(np.abs(load(directory, encoding).logits(np.array(prompt)) - logits).max())
        if difference > MAX_NUMPY_DIFFERENCE:
            raise RuntimeError(f"{variant.name} as {encoding}: NumPy differs by {difference}")
        np.save(directory / f"logits_as_{encoding}.npy", logits.astype(np.float32))
        largest = max(largest, difference)
    return largest


def plain_rope_effect(directory, prompt, logits):
    """How much the logits would change if the rope settings were ignored: proves that the variant tests them."""
    model = load(directory)
    if model.config["rope"]["rope_type"] == "default":
        return None
    config = {**model.config, "rope": {"rope_type": "default", "rope_theta": model.config["rope"]["rope_theta"]}}
    return float(np.abs(type(model)(config, model.tensors).logits(np.array(prompt)) - logits).max())


def make(variant, output):
    seed = zlib.crc32(variant.name.encode())
    directory = output / variant.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    model = write_variant(variant, directory, seed)
    reference, logits = reference_for(variant, directory, model, seed)
    if variant.exchanges:
        difference = write_exchanges(variant, directory, reference["prompt_ids"])
        reference["exchanged_numpy_max_difference"] = float(f"{difference:.2e}")
    write_json(directory / "reference.json", reference)
    np.save(directory / "logits.npy", logits.astype(np.float32))
    effect = plain_rope_effect(directory, reference["prompt_ids"], logits)
    size = sum(file.stat().st_size for file in directory.iterdir())
    return [variant.name, np.abs(logits).max(), logits.std(), reference["greedy_min_margin"],
            reference["routing_min_margin"], reference["numpy_max_difference"], effect, size]  # fmt: skip


def print_row(row):
    cells = [f"{row[0]:26}"] + ["       -" if x is None else f"{x:8.2g}" for x in row[1:-1]]
    print("  ".join(cells), f"{row[-1]:9d}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--only", nargs="*", help="names of the variants to make")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Initializing zero-element tensors")
    print(f"{'name':26}  max|log|    std     greedy   routing     numpy  no rope     bytes")
    total = 0
    for variant in all_variants() + dsa_variants() + mla_variants() + all_llama_variants():
        if not arguments.only or variant.name in arguments.only:
            row = make(variant, arguments.output)
            total += row[-1]
            print_row(row)
    print(f"{total} bytes")
    if total > SIZE_LIMIT:
        raise SystemExit("the goldens are larger than 16 MB")


if __name__ == "__main__":
    main()
