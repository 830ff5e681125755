#!/usr/bin/env python3
"""Writes tests/golden/gguf: small random GGUF files with what transformers computes of the values they hold.

For each case: model.gguf, reference.json and logits.npy as beside the other goldens. `--only NAME ...` remakes single
ones, `--output DIR` writes elsewhere. `--llama-cpp` writes nothing but compares with llama.cpp, if the package
llama-cpp-python is installed: copies of the files in float32 (with other types llama.cpp rounds activations, too).
"""

import argparse
import copy
import json
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as Type
from gguf_cases import all_cases
from gguf_conversion import decode, stored_tensors, write_gguf
from torch_reference import greedy, prompt_logits
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

DEFAULT_OUTPUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "gguf"
PROMPT = 104
CONTINUATION = 24
MIN_GREEDY_MARGIN = 2e-3
MIN_ROUTING_MARGIN = 1e-4
SIZE_LIMIT = 3_000_000
ATTEMPTS = 200
GAINS = {"q_proj": 1.7, "q_b_proj": 1.7, "kv_a_proj_with_mqa": 1.6, "kv_b_proj": 1.4, "down_proj": 1.5, "k_proj": 1.5}


def empty_model(case):
    config = CONFIG_MAPPING[case.config["model_type"]](
        **{key: value for key, value in case.config.items() if key != "model_type"}
    )
    return transformers.AutoModelForCausalLM.from_config(
        config, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager"
    ).eval()


def random_values(name, shape, tied, random):
    if "norm" in name or ".ln_" in name:
        return random.uniform(0.5, 1.5, shape) if name.endswith("weight") else random.normal(0.0, 0.3, shape)
    if name.endswith("bias"):
        return random.normal(0.0, 0.3, shape)
    if "embed_tokens" in name or ".wte" in name or ".wpe" in name:
        return random.normal(0.0, 1.5 / np.sqrt(shape[-1]) if tied else 1.0, shape)
    inputs = shape[0] if ".h." in name else shape[-1]
    gain = next((gain for part, gain in GAINS.items() if part in name), 1.0)
    return random.normal(0.0, gain / np.sqrt(inputs), shape)


def random_tensors(model, case, random):
    tied = case.config["tie_word_embeddings"]
    return {
        name: random_values(name, tuple(value.shape), tied, random).astype(np.float32)
        for name, value in model.state_dict().items()
        if not (tied and name == "lm_head.weight") and "inv_freq" not in name
    }


def normalize_weights(model):
    """What transformers' class for V2 does not do: the chosen experts' weights are divided by their sum."""

    def normalize(gate, _, output):
        logits, weights, chosen = output
        return logits, weights / weights.sum(-1, keepdim=True) * gate.routed_scaling_factor, chosen

    for layer in model.model.layers:
        if hasattr(layer.mlp, "gate"):
            layer.mlp.gate.register_forward_hook(normalize)


def reference_model(case, exact):
    model = empty_model(case)
    missing = model.load_state_dict({name: torch.from_numpy(value) for name, value in exact.items()}, strict=False)
    assert not missing.unexpected_keys, missing
    assert set(missing.missing_keys) <= {"lm_head.weight"}, missing
    model.tie_weights()
    if case.normalized:
        normalize_weights(model)
    return model


def margin(scores, count):
    ordered = np.sort(scores, -1)[..., ::-1]
    finite = np.isfinite(ordered[..., count])
    return (ordered[..., count - 1] - ordered[..., count])[finite].min(initial=np.inf)


def routing_margin(case, model, ids):
    """How far the chosen experts and groups are from the best of the others, at least."""
    c = case.config
    if not c.get("n_routed_experts"):
        return np.inf
    least, hooks = [np.inf], []

    def look(moe, arguments):
        logits = torch.nn.functional.linear(arguments[0].reshape(-1, c["hidden_size"]), moe.gate.weight).numpy()
        if c["model_type"] == "deepseek_v3":
            scores = 1 / (1 + np.exp(-logits)) + moe.gate.e_score_correction_bias.numpy()
        else:
            scores = np.exp(logits - logits.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
        groups = c["n_group"] or 1
        if groups > 1:
            grouped = np.sort(scores.reshape(len(scores), groups, -1), -1)
            best = grouped[..., -2:].sum(-1) if c["model_type"] == "deepseek_v3" else grouped[..., -1]
            least[0] = min(least[0], margin(best, c["topk_group"]))
            kept = best >= np.sort(best, -1)[:, [-c["topk_group"]]]
            scores = np.where(np.repeat(kept, scores.shape[-1] // groups, -1), scores, -np.inf)
        least[0] = min(least[0], margin(scores, c["num_experts_per_tok"]))

    for layer in model.model.layers:
        if hasattr(layer.mlp, "experts"):
            hooks.append(layer.mlp.register_forward_pre_hook(look))
    prompt_logits(model, ids)
    for hook in hooks:
        hook.remove()
    return least[0]


def find_reference(case, model, seed):
    """A prompt whose greedy continuation and whose experts do not hang on rounding."""
    allowed = range(2, case.config["vocab_size"])
    for attempt in range(ATTEMPTS):
        prompt = np.random.default_rng([seed, attempt]).choice(allowed, PROMPT).tolist()
        continuation = greedy(copy.deepcopy(model), prompt, CONTINUATION)
        if continuation.min_margin < MIN_GREEDY_MARGIN or {0, 1} & set(continuation.ids):
            continue
        routing = routing_margin(case, model, prompt + continuation.ids)
        if routing < MIN_ROUTING_MARGIN:
            continue
        reference = {
            "name": case.name,
            "about": case.about,
            "transformers_version": transformers.__version__,
            "torch_version": torch.__version__,
            "prompt_ids": prompt,
            "greedy_ids": continuation.ids,
            "greedy_min_margin": round(continuation.min_margin, 6),
            "routing_min_margin": None if np.isinf(routing) else round(float(routing), 7),
        }
        return reference, prompt_logits(copy.deepcopy(model), prompt)
    raise RuntimeError(f"{case.name}: no suitable prompt")


def make_tensors(case):
    seed = zlib.crc32(case.name.encode())
    random = np.random.default_rng(seed)
    return seed, *stored_tensors(random_tensors(empty_model(case), case, random), case, random)


def make(case, directory):
    seed, stored, exact = make_tensors(case)
    reference, logits = find_reference(case, reference_model(case, exact), seed)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    write_gguf(directory / "model.gguf", case, stored)
    (directory / "reference.json").write_text(json.dumps(reference, indent=1) + "\n")
    np.save(directory / "logits.npy", logits.astype(np.float32))
    size = sum(file.stat().st_size for file in directory.iterdir())
    print(f"{case.name}: {size} bytes, logits of deviation {logits.std():.2f}, margins {reference['greedy_min_margin']}, "
          f"{reference['routing_min_margin']}")  # fmt: skip


def compare_with_llama_cpp(case, directory):
    import llama_cpp

    reference = json.loads((directory / "reference.json").read_text())
    scaling = case.config.get("rope_scaling") or {}
    plain = {name: (decode(*tensor), Type.F32) for name, tensor in make_tensors(case)[1].items()}
    with tempfile.TemporaryDirectory() as scratch:
        write_gguf(Path(scratch) / "model.gguf", case, plain)
        model = llama_cpp.Llama(
            str(Path(scratch) / "model.gguf"), n_ctx=256, n_batch=256, n_threads=1, logits_all=True,
            verbose=False, type_k=0, type_v=0, flash_attn=False,
            # llama.cpp itself looks at these two keys in the files of few architectures only.
            yarn_beta_fast=scaling.get("beta_fast", 32.0), yarn_beta_slow=scaling.get("beta_slow", 1.0),
        )  # fmt: skip
        model.eval(reference["prompt_ids"])
        found = np.array(model.scores[: len(reference["prompt_ids"])])
    expected = np.load(directory / "logits.npy")
    print(f"{case.name}: largest difference to llama.cpp {np.abs(found - expected).max():.2e} "
          f"(logits of deviation {expected.std():.2f})", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--llama-cpp", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for case in all_cases():
        if arguments.only and case.name not in arguments.only:
            continue
        if not arguments.llama_cpp:
            make(case, arguments.output / case.name)
        elif case.as_llama_cpp:
            compare_with_llama_cpp(case, arguments.output / case.name)
    total = sum(file.stat().st_size for file in arguments.output.rglob("*") if file.is_file())
    assert total < SIZE_LIMIT, total


if __name__ == "__main__":
    main()
