#!/usr/bin/env python3
"""Writes a checkpoint of a published model's shape with random weights: for timing, without downloads.

    python tools/random_checkpoint.py smollm2-135m build/smollm2-random --dtype bf16
    python tools/random_checkpoint.py deepseek-v2-lite build/lite.gguf --gguf q4_k_m
    python tools/random_checkpoint.py deepseek-v2-lite build/lite-5.gguf --gguf q8_0 --layers 5

Without --gguf the output is a Hugging Face folder. Weights are scaled so that activations keep their size from layer to
layer and logits spread as a trained model's do; what the model says is noise. The vocabulary is GPT-2's bytes and
combinations of them. Needs numpy. Writes as fast as the disk, in little memory; the same seed gives the same file.
"""

import argparse
import json
import os
import shutil
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))

from checkpoint_shapes import SHAPES, config_of, folder_tensors  # noqa: E402
from checkpoint_vocabulary import tokenizer_json  # noqa: E402

SAFETENSORS_NAMES = {"f32": ("F32", "float32"), "bf16": ("BF16", "bfloat16"), "f16": ("F16", "float16")}


class Progress:
    """A bar on a terminal, else nothing."""

    WIDTH = 40
    STEP = 1 << 26  # Bytes between two drawings.

    def __init__(self, total):
        self.total = total
        self.done = 0
        self.next = 0
        self.visible = sys.stderr.isatty()

    def add(self, count):
        self.done += count
        if self.visible and (self.done >= self.next or self.done == self.total):
            self.next = self.done + self.STEP
            bar = "#" * (self.WIDTH * self.done // self.total)
            end = "\n" if self.done == self.total else ""
            print(
                f"\r[{bar:<{self.WIDTH}}] {self.done >> 20}/{self.total >> 20} MiB",
                end=end,
                file=sys.stderr,
                flush=True,
            )


def write_data(file, tensors, kinds, seed, alignment):
    from checkpoint_values import Pools, byte_count

    pools = Pools(seed, max(tensor.elements for tensor in tensors))
    sizes = [byte_count(kind, tensor.elements) for tensor, kind in zip(tensors, kinds)]
    progress = Progress(sum(sizes))
    for tensor, kind, size in zip(tensors, kinds, sizes):
        for chunk in pools.chunks(tensor, kind):
            file.write(chunk)
            progress.add(len(chunk) if isinstance(chunk, bytes) else chunk.nbytes)
        file.write(bytes(-size % alignment))
    return sum(sizes)


def write_gguf(output, config, options):
    from checkpoint_gguf import ALIGNMENT, MIXTURES, gguf_tensors, head, kind_of, metadata

    mixture = MIXTURES[options.gguf]
    tensors = gguf_tensors(config)
    kinds = [kind_of(tensor, config, mixture) for tensor in tensors]
    with open(output, "wb") as file:
        file.write(head(metadata(config, mixture, options.shape), tensors, kinds))
        return write_data(file, tensors, kinds, options.seed, ALIGNMENT)


def safetensors_head(tensors, kinds):
    from checkpoint_values import byte_count

    entries = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor, kind in zip(tensors, kinds):
        end = offset + byte_count(kind, tensor.elements)
        entries[tensor.name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def write_json(file, content):
    file.write_text(json.dumps(content, indent=2) + "\n")


def write_folder(output, config, options):
    kind, name = SAFETENSORS_NAMES[options.dtype]
    tensors = folder_tensors(config)
    # The published files have the selection's biases in float32, whatever the others are.
    kinds = ["F32" if tensor.name.endswith("e_score_correction_bias") else kind for tensor in tensors]
    output.mkdir()
    write_json(output / "config.json", config | {"torch_dtype": name})
    write_json(output / "generation_config.json", {key: config[key] for key in ("bos_token_id", "eos_token_id")})
    write_json(output / "tokenizer.json", tokenizer_json(config["vocab_size"]))
    with open(output / "model.safetensors", "wb") as file:
        file.write(safetensors_head(tensors, kinds))
        return write_data(file, tensors, kinds, options.seed, alignment=1)


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     epilog="Example: random_checkpoint.py deepseek-v2-lite lite.gguf --gguf q4_k_m")  # fmt: skip
    parser.add_argument("shape", choices=SHAPES, metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("output", type=Path, help="folder, or with --gguf file, to write")
    parser.add_argument("--layers", type=int, metavar="N", help="the first N layers only")
    parser.add_argument("--vocab", type=int, metavar="N", help="another size of the vocabulary")
    parser.add_argument("--dtype", choices=SAFETENSORS_NAMES, help="of a folder's weights (default: bf16)")
    parser.add_argument("--gguf", choices=("f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m"), metavar="TYPE",
                        help="write a GGUF file: of f32, f16, bf16, q8_0, q4_0 or llama.cpp's mixture q4_k_m")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--force", action="store_true", help="replace the output if it exists")
    options = parser.parse_args()
    if options.gguf and options.dtype:
        parser.error("--dtype is of folders; with --gguf the type stands there")
    options.dtype = options.dtype or "bf16"
    return parser, options


def main():
    parser, options = parse_arguments()
    output = options.output
    try:
        config = config_of(options.shape, options.layers, options.vocab)
    except ValueError as error:
        parser.error(str(error))
    if output.exists() and not options.force:
        parser.error(f"{output} exists; --force replaces it")
    if options.gguf and output.is_dir():
        parser.error(f"{output} is a folder; it is not replaced by a file")
    if not options.gguf and output.exists() and not (output / "config.json").exists():
        parser.error(f"{output} is no checkpoint; it is not replaced")
    part = output.with_name(output.name + ".part")  # What is cut short is not taken for a checkpoint.
    remove(part)
    try:
        size = (write_gguf if options.gguf else write_folder)(part, config, options)
        remove(output)
        os.replace(part, output)
    finally:
        remove(part)
    print(
        f"{output}: {options.shape}, {config['num_hidden_layers']} layers, {size / 2**30:.2f} GiB of weights",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
