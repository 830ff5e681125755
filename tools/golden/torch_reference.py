"""The reference proper: transformers, float32, eager attention."""

from dataclasses import dataclass

import torch
import torch_llama
from safetensors.torch import load_file
from torch_encodings import EncodedModel
from transformers import AutoConfig, AutoModelForCausalLM, Mistral4ForCausalLM
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()


@dataclass
class Greedy:
    ids: list
    min_margin: float


def model_class(directory):
    """transformers lists Mistral 4 only as a part of Mistral 3."""
    return Mistral4ForCausalLM if AutoConfig.from_pretrained(directory).model_type == "mistral4" else AutoModelForCausalLM


def load_model(directory, encoding=None):
    """The default expert implementation needs multiples of 16 bytes, hence "eager" for the experts as well.
    `encoding`: instead of the checkpoint's own."""
    model = model_class(directory).from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager"
    ).eval()
    if model.config.model_type in torch_llama.TYPES:
        model = torch_llama.with_own_keys(model)
    encoding = encoding or getattr(model.config, "position_encoding", None)
    if encoding is None:
        return model
    table = None
    if encoding == "learned":
        table = load_file(directory / "model.safetensors")["model.embed_positions.weight"].float()
    family = torch_llama.EncodedModel if model.config.model_type in torch_llama.TYPES else EncodedModel
    return family(model, encoding, table)


def top_margin(logits):
    best, second = torch.topk(logits, 2).values.tolist()
    return best - second


@torch.no_grad()
def prompt_logits(model, ids):
    return model(torch.tensor([ids]), use_cache=False).logits[0].numpy()


@torch.no_grad()
def greedy(model, prompt, count):
    """Prompt in one forward, then one token per forward, with the cache."""
    ids, margins, cache, step = [], [], None, torch.tensor([prompt])
    for _ in range(count):
        output = model(step, past_key_values=cache, use_cache=True)
        cache, last = output.past_key_values, output.logits[0, -1]
        margins.append(top_margin(last))
        ids.append(int(last.argmax()))
        step = torch.tensor([ids[-1:]])
    return Greedy(ids, min(margins))
