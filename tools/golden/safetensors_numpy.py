"""Reads safetensors files into float64 arrays with nothing but NumPy, including bfloat16 and block-scaled fp8."""

import json

import numpy as np

FP8_BLOCK = 128


def e4m3_table():
    table = np.empty(256)
    for code in range(256):
        exponent, mantissa = (code >> 3) & 15, code & 7
        value = mantissa / 8 * 2.0**-6 if exponent == 0 else (1 + mantissa / 8) * 2.0 ** (exponent - 7)
        table[code] = -value if code & 128 else value
    table[[0x7F, 0xFF]] = np.nan
    return table


E4M3 = e4m3_table()


def decode(raw, dtype):
    if dtype == "F32":
        return np.frombuffer(raw, "<f4").astype(np.float64)
    if dtype == "F16":
        return np.frombuffer(raw, "<f2").astype(np.float64)
    if dtype == "BF16":
        return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4").astype(np.float64)
    if dtype == "F8_E4M3":
        return E4M3[np.frombuffer(raw, np.uint8)]
    raise ValueError(f"unknown dtype {dtype}")


def read_file(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = decode(data[start + begin : start + end], entry["dtype"]).reshape(entry["shape"])
    return tensors


def apply_scales(tensors):
    for name in [name for name in tensors if name.endswith("_scale_inv")]:
        scale = tensors.pop(name).repeat(FP8_BLOCK, 0).repeat(FP8_BLOCK, 1)
        weight = tensors[name.removesuffix("_scale_inv")]
        weight *= scale[: weight.shape[0], : weight.shape[1]]
    return tensors


def read_checkpoint(directory):
    index = directory / "model.safetensors.index.json"
    if not index.exists():
        return apply_scales(read_file(directory / "model.safetensors"))
    tensors = {}
    for file_name in sorted(set(json.loads(index.read_text())["weight_map"].values())):
        tensors.update(read_file(directory / file_name))
    return apply_scales(tensors)
