"""transformers' Llama family and GPT-2 with what they do not know: our own config keys, exchanged encodings."""

import torch
from torch_encodings import ADDED, mask
from transformers import LlamaConfig
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.gpt2.modeling_gpt2 import eager_attention_forward
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

TYPES = ("llama", "mistral", "ministral", "qwen2", "qwen3", "gpt2")
TURNED = "eager_turned"


def whole_head_order(dim, turned, interleaved):
    """Where each value of a head goes so that transformers, which pairs i with i + dim / 2 in the whole head, turns the
    first `turned` values as pairs (2i, 2i+1) or (i, i + turned / 2)."""
    pairs = torch.arange(turned).reshape(-1, 2).T if interleaved else torch.arange(turned).reshape(2, -1)
    rest = torch.arange(turned, dim).reshape(2, -1)
    return torch.cat([pairs[0], rest[0], pairs[1], rest[1]])


def interleave_heads(model, dim):
    """Queries and keys in another order have the same scores."""
    order = whole_head_order(dim, dim, True)
    for layer in model.model.layers:
        for projection in (layer.self_attn.q_proj, layer.self_attn.k_proj):
            for parameter in (projection.weight, projection.bias):
                if parameter is not None:
                    heads = parameter.data.reshape(-1, dim, *parameter.shape[1:])
                    parameter.data = heads[:, order].reshape(parameter.shape)


def with_own_keys(model):
    config = model.config
    if config.model_type == "llama" and getattr(config, "rope_interleave", False):
        interleave_heads(model, config.head_dim)
    return model


def turned_attention(module, query, key, value, attention_mask, **more):
    """GPT-2's attention with rope: the keys lie in the cache as they were before the rotation."""
    size = query.shape[-1]
    rotary = LlamaRotaryEmbedding(LlamaConfig(hidden_size=size, num_attention_heads=1))
    turns = rotary(key, torch.arange(key.shape[2])[None])
    past = key.shape[2] - query.shape[2]
    key = apply_rotary_pos_emb(key, key, *turns)[0]
    query = apply_rotary_pos_emb(query, query, *(turn[:, past:] for turn in turns))[0]
    return eager_attention_forward(module, query, key, value, attention_mask, **more)


class EncodedModel:
    """Called as the model itself: token ids, cache."""

    def __init__(self, model, encoding, table=None):
        self.model, self.encoding, self.table = model, encoding, table
        if model.config.model_type != "gpt2":
            return
        model.transformer.wpe.weight.data.zero_()
        if encoding == "rope":
            ALL_ATTENTION_FUNCTIONS.register(TURNED, turned_attention)
            model.config._attn_implementation = TURNED

    def embed(self, ids, positions):
        x = self.model.get_input_embeddings()(ids)
        if getattr(self.model.config, "scale_embedding", False):
            x = x * self.model.config.hidden_size**0.5
        if self.encoding == "learned":
            return x + self.table[positions]
        return x + ADDED[self.encoding](positions, x.shape[-1]) if self.encoding in ADDED else x

    def mask(self, past, tokens):
        """transformers takes it as it is in every layer, hence for models whose layers all have the same window."""
        bias = mask(self.model.config.num_attention_heads, past, tokens, self.encoding == "alibi")
        window = getattr(self.model.config, "sliding_window", None)
        if window is None:
            return bias
        return bias.masked_fill(torch.ones(tokens, past + tokens, dtype=torch.bool).tril(past - window), -torch.inf)

    def __call__(self, ids, past_key_values=None, use_cache=False):
        past = 0 if past_key_values is None else past_key_values.get_seq_length()
        positions = torch.arange(past, past + ids.shape[1])
        return self.model(
            inputs_embeds=self.embed(ids, positions),
            position_ids=torch.zeros_like(positions)[None],  # which turns nothing
            attention_mask=self.mask(past, ids.shape[1]),
            past_key_values=past_key_values,
            use_cache=use_cache,
        )
