"""transformers' DeepSeek models under positional encodings that they do not know.

The encodings themselves are transformers' too, taken from the models that have them: the sinusoids of DistilBERT,
the ALiBi slopes of BLOOM, the rotations of DeepSeek.
"""

import copy
import sys

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.deepseek_v2 import modeling_deepseek_v2
from transformers.models.distilbert.modeling_distilbert import create_sinusoidal_embeddings

COUPLED = "eager_coupled"

turn_v2 = modeling_deepseek_v2.apply_rotary_emb
# As complex numbers a rotary part of no values would be an error.
modeling_deepseek_v2.apply_rotary_emb = lambda q, k, turns: turn_v2(q, k, turns) if q.shape[-1] else (q, k)


def integer(positions, dim):
    return positions[:, None].expand(-1, dim)


def binary(positions, dim):
    digits = [f"{int(position):0{dim}b}"[::-1] for position in positions]
    return torch.tensor([[int(digit) for digit in row] for row in digits])


def sinusoidal(positions, dim):
    table = torch.empty(int(positions[-1]) + 1, dim)
    return create_sinusoidal_embeddings(len(table), dim, table)[positions]


ADDED = {"integer": integer, "binary": binary, "sinusoidal": sinusoidal}


def mask(heads, past, tokens, alibi):
    """What is added to the scores [1, heads or 1, tokens, past + tokens]. BLOOM counts from the first key instead of
    from the query, which the softmax does not see; here that is undone, for the sake of precision."""
    bias = torch.zeros(1, tokens, past + tokens)
    if alibi:
        keys = build_alibi_tensor(torch.ones(1, past + tokens), heads, torch.float32)
        bias = keys - keys[:, 0, past:, None]
    future = torch.ones(tokens, past + tokens, dtype=torch.bool).triu(past + 1)
    return bias.masked_fill(future, -torch.inf)[None]


def coupled_attention(module, query, key, value, attention_mask, **more):
    """Rotates the whole queries and keys, which lie in the cache as they were before the rotation."""
    code = sys.modules[type(module).__module__]
    positions = torch.arange(key.shape[2])[None]
    past = key.shape[2] - query.shape[2]
    key = rotated(module, code, key, positions)
    query = rotated(module, code, query, positions[:, past:])
    return code.eager_attention_forward(module, query, key, value, attention_mask, **more)


def rotated(module, code, x, positions):
    turns = module.coupled_rotation(x, positions)
    if module.config.model_type == "deepseek_v2":
        return turn_v2(x, x, turns)[0]
    apply = code.apply_rotary_pos_emb_interleave if module.config.rope_interleave else code.apply_rotary_pos_emb
    return apply(x, x, *turns)[0]


class NoRotation(torch.nn.Module):
    """Of a rotary part that is not there."""

    def __init__(self, model_type):
        super().__init__()
        self.complex = model_type == "deepseek_v2"

    def forward(self, x, position_ids):
        nothing = torch.empty(*position_ids.shape, 0)
        return torch.complex(nothing, nothing) if self.complex else (nothing, nothing)


def without_rotary_part(model, coupled):
    """transformers reads a rotary part of no values as one of the default size. Replaces its rotation."""
    decoder, config = model.model, model.config
    if coupled:
        ALL_ATTENTION_FUNCTIONS.register(COUPLED, coupled_attention)
        whole = copy.deepcopy(config)
        whole.head_dim = config.qk_nope_head_dim
        for layer in decoder.layers:
            layer.self_attn.coupled_rotation = type(decoder.rotary_emb)(whole)
        config._attn_implementation = COUPLED
    decoder.rotary_emb = NoRotation(config.model_type)


def without_bias(_, arguments):
    """An indexer adds the mask of the first head to its scores: there it is only to hide."""
    *before, bias, positions = arguments
    return *before, torch.where(bias.isinf(), bias, 0.0), positions


class EncodedModel:
    """Called as the model itself: token ids, cache."""

    def __init__(self, model, encoding, table=None):
        self.model, self.encoding, self.table = model, encoding, table
        if model.config.qk_rope_head_dim == 0:
            without_rotary_part(model, encoding == "rope")
        for layer in model.model.layers:
            if hasattr(layer.self_attn, "indexer"):
                layer.self_attn.indexer.register_forward_pre_hook(without_bias)

    def embed(self, ids, positions):
        config = self.model.config
        x = self.model.model.embed_tokens(ids)
        if getattr(config, "scale_embedding", False):
            x = x * config.hidden_size**0.5
        if self.encoding == "learned":
            return x + self.table[positions]
        return x + ADDED[self.encoding](positions, config.hidden_size) if self.encoding in ADDED else x

    def __call__(self, ids, past_key_values=None, use_cache=False):
        config, tokens = self.model.config, ids.shape[1]
        past = 0 if past_key_values is None else past_key_values.get_seq_length()
        positions = torch.arange(past, past + tokens)
        rotates = self.encoding in ("rope", "rope-decoupled")
        # transformers would take positions that are all zero for texts of one token each, hence a mask in any case.
        return self.model(
            inputs_embeds=self.embed(ids, positions),
            position_ids=(positions if rotates else torch.zeros_like(positions))[None],
            attention_mask=mask(config.num_attention_heads, past, tokens, self.encoding == "alibi"),
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
