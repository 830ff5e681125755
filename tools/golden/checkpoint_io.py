"""Writes a checkpoint directory: config.json, safetensors (one file or shards), generation_config.json."""

import json

import torch
from safetensors.torch import save_file

TORCH_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
FP8_BLOCK = 128
FP8_MAX = 448.0


def is_fp8_linear(name):
    """Real DeepSeek-V3 files keep embeddings, norms, the router and the output head in bfloat16."""
    projections = ("_proj.weight", "kv_a_proj_with_mqa.weight", "indexer.wq_b.weight", "indexer.wk.weight")
    return name.endswith(projections) and not name.endswith("indexer.weights_proj.weight")


def quantize_fp8(weight):
    """Returns e4m3 values and one float32 factor (`weight_scale_inv`) per block; blocks at the edges are ragged."""
    rows, columns = weight.shape
    scales = torch.empty(-(-rows // FP8_BLOCK), -(-columns // FP8_BLOCK))
    values = torch.empty(rows, columns, dtype=torch.float8_e4m3fn)
    for i in range(scales.shape[0]):
        for j in range(scales.shape[1]):
            block = (slice(i * FP8_BLOCK, (i + 1) * FP8_BLOCK), slice(j * FP8_BLOCK, (j + 1) * FP8_BLOCK))
            scales[i, j] = weight[block].abs().max() / FP8_MAX
            values[block] = (weight[block] / scales[i, j]).to(torch.float8_e4m3fn)
    return values, scales


def dequantize_fp8(values, scales):
    factor = scales.repeat_interleave(FP8_BLOCK, 0).repeat_interleave(FP8_BLOCK, 1)
    return values.float() * factor[: values.shape[0], : values.shape[1]]


def storage_tensors(variant, tensors):
    """The tensors as they are stored."""
    plain = TORCH_DTYPES.get(variant.dtype, torch.bfloat16)
    stored = {}
    for name, array in tensors.items():
        tensor = torch.from_numpy(array)
        if name.endswith("e_score_correction_bias"):
            stored[name] = tensor.to(TORCH_DTYPES[variant.correction_bias_dtype])
        elif variant.dtype == "fp8" and is_fp8_linear(name):
            stored[name], stored[name + "_scale_inv"] = quantize_fp8(tensor)
        else:
            stored[name] = tensor.to(plain)
    return stored


def plain_tensors(stored):
    """The float32 values that the stored tensors stand for."""
    plain = {}
    for name, tensor in stored.items():
        if name.endswith("_scale_inv"):
            continue
        scales = stored.get(name + "_scale_inv")
        plain[name] = tensor.float() if scales is None else dequantize_fp8(tensor, scales)
    return plain


def write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n")


def split_in_shards(stored, count):
    names = list(stored)
    step = -(-len(names) // count)
    return [{name: stored[name] for name in names[i : i + step]} for i in range(0, len(names), step)]


def write_weights(directory, stored, shards):
    if shards == 1:
        save_file(stored, directory / "model.safetensors", {"format": "pt"})
        return
    weight_map = {}
    for number, part in enumerate(split_in_shards(stored, shards), 1):
        file_name = f"model-{number:05d}-of-{shards:05d}.safetensors"
        save_file(part, directory / file_name, {"format": "pt"})
        weight_map.update(dict.fromkeys(part, file_name))
    size = sum(tensor.nbytes for tensor in stored.values())
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))}
    write_json(directory / "model.safetensors.index.json", index)


def write_checkpoint(directory, config, stored, shards=1, generation_config=None):
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "config.json", config)
    if generation_config:
        write_json(directory / "generation_config.json", generation_config)
    write_weights(directory, stored, shards)
