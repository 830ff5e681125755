"""Which independent implementation computes a checkpoint."""

import json

import numpy_reference
from numpy_gpt2 import Gpt2Model
from numpy_llama import LlamaModel
from numpy_reference import NumpyModel
from safetensors_numpy import read_checkpoint

MODELS = {**dict.fromkeys(("llama", "mistral", "qwen2", "qwen3"), LlamaModel), "gpt2": Gpt2Model}


def load(directory, encoding=None):
    """`encoding`: instead of the checkpoint's own. `written` are the keys that config.json itself has: read_config
    fills in DeepSeek's defaults."""
    config = numpy_reference.read_config(directory)
    config["written"] = set(json.loads((directory / "config.json").read_text()))
    if encoding is not None:
        config["position_encoding"] = encoding
        config["written"].add("position_encoding")
    return MODELS.get(config["model_type"], NumpyModel)(config, read_checkpoint(directory))
