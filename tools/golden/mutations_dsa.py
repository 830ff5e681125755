"""Wrong readings of sparse attention, for mutation_check.py. Constant factors on the scores select the same tokens."""

import numpy as np


def replaced(name, make):
    """Puts `make`(model, the original method) in a method's place."""
    return lambda model: setattr(model, name, make(model, getattr(model, name)))


def interleaved(model, original):
    """Neighbouring pairs, as the attention itself turns them."""

    def turned(x):
        width = model.config["qk_rope_head_dim"]
        order = [*range(0, width, 2), *range(1, width, 2), *range(width, x.shape[-1])]
        return original(x[..., order])

    return turned


def rotary_part_last(model, original):
    def turned(x):
        rest = x.shape[-1] - model.config["qk_rope_head_dim"]
        return original(np.roll(x, -rest, -1))

    return turned


def tensors_set(pattern, value):
    def mutate(model):
        for name, tensor in model.tensors.items():
            if name.endswith(pattern):
                model.tensors[name] = np.full_like(tensor, value)

    return mutate


def config(**changes):
    return lambda model: model.config.update(changes)


SELECTING = "v32_sparse v32_few v32_one v32_yarn v32_layer_types v32_fp8 v32_defaults v32_mtp v32_save_pretrained"
NOT_TURNED = " v32_simplified"
DSA_MUTATIONS = [
    ("all is selected", config(index_topk=10**6), SELECTING + NOT_TURNED),
    ("one more is selected", lambda model: model.config.update(index_topk=model.config["index_topk"] + 1), SELECTING),
    ("selection though all is selected", config(index_topk=19), "v32_all_selected v32_selects_late"),
    ("indexer: pairs (2i, 2i+1)", replaced("halves_rotated", interleaved), SELECTING),
    ("indexer: rotary part last", replaced("halves_rotated", rotary_part_last), "v32_sparse v32_few v32_fp8"),
    ("indexer: nothing is turned", replaced("halves_rotated", lambda model, _: lambda x: x), SELECTING),
    ("indexer: no relu", replaced("rectified", lambda model, _: lambda x: x), SELECTING),
    ("indexer: equal heads", tensors_set("indexer.weights_proj.weight", 1.0), SELECTING + NOT_TURNED),
    ("indexer: no bias of the norm", tensors_set("indexer.k_norm.bias", 0.0), SELECTING + NOT_TURNED),
    ("indexer: no weight of the norm", tensors_set("indexer.k_norm.weight", 1.0), SELECTING + NOT_TURNED),
    ("attention: pairs (i, i+d/2)", config(rope_interleave=False), "v32_sparse"),
    ("routed scaling 1", config(routed_scaling_factor=1.0), "v32_defaults v32_sparse"),
]  # fmt: skip
