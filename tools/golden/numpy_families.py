"""The independent implementations of all families, by model_type."""

import numpy_dsa  # noqa: F401: registers itself.
import numpy_mla  # noqa: F401: registers itself.
from numpy_gpt2 import Gpt2Model
from numpy_llama import LlamaModel
from numpy_reference import MODELS, load  # noqa: F401: load is what others come for.

MODELS.update({**dict.fromkeys(("llama", "mistral", "ministral", "qwen2", "qwen3"), LlamaModel), "gpt2": Gpt2Model})
