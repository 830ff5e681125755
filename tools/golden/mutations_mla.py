"""Wrong readings of the families in variants_mla.py, for mutation_check.py: (title, mutation, variants)."""

import numpy as np
from mutations import changed_config
from numpy_reference import softmax


def replaced(method, make):
    """`make`(model) is the new method."""
    return lambda model: setattr(model, method, make(model))


def half_swapped(model):
    original = model.half
    return lambda prefix, half, h: original(prefix, 1 - half, h)


def experts_see_the_second_half(model):
    def layer(index, h):
        prefix = f"model.layers.{index}."
        h, _ = model.half(prefix, 0, h)
        h, seen = model.half(prefix, 1, h)
        return h + model.mixture(prefix + "mlp.", seen)

    return layer


def experts_join_early(model):
    def layer(index, h):
        prefix = f"model.layers.{index}."
        h, seen = model.half(prefix, 0, h)
        h, _ = model.half(prefix, 1, h + model.mixture(prefix + "mlp.", seen))
        return h

    return layer


def zero_experts_give_nothing(model):
    original, routed = model.expert, model.config["n_routed_experts"]
    return lambda prefix, index, x: np.zeros_like(x) if index >= routed else original(prefix, index, x)


def routed_with(choice, normalize):
    def make(model):
        def route(prefix, x):
            scores = softmax(x @ model.tensors[prefix + "router.classifier.weight"].T)
            bias = model.tensors[prefix + "router.e_score_correction_bias"]
            weights = scores * model.best(scores + bias * choice, model.config["moe_topk"])
            weights /= weights.sum(-1, keepdims=True) if normalize else 1.0
            return weights * model.config["routed_scaling_factor"]

        return route

    return replaced("route", make)


def router_bias_added(model):
    original = model.route

    def route(prefix, x):
        weight = model.tensors[prefix + "router.classifier.weight"]
        bias = model.tensors[prefix + "router.classifier.bias"]
        moved = x + np.linalg.lstsq(weight, bias, rcond=None)[0]
        return original(prefix, moved)

    return route


def without_latent_scale(*names):
    def make(model):
        original = type(model).__mro__[1].norm

        def norm(name, x, eps):
            plain = original(model, name, x, eps)
            scaled = name.endswith(("q_a_layernorm", "kv_a_layernorm")) and not name.endswith(names)
            return plain * model.latent_scale(x.shape[-1]) if scaled else plain

        return norm

    return replaced("norm", make)


def groups_by_maximum(model):
    return lambda scores: scores.reshape(len(scores), model.config["n_group"], -1).max(-1)


def queries(change):
    """`change`(model, positions) is the factor instead."""

    def make(model):
        return lambda tokens: change(model.config["rope"], model.positions(tokens))

    return replaced("query_scales", make)


def lengths(rope, positions):
    return positions / rope["original_max_position_embeddings"]


MISTRAL4 = "mistral4_published mistral4_groups mistral4_linear mistral4_save_pretrained"
LONGCAT = "longcat_published longcat_two_layers longcat_fp8 longcat_save_pretrained longcat_fused"
ZERO = LONGCAT.replace(" longcat_two_layers", "")
MLA_MUTATIONS = [
    ("minicpm3: pairs (2i, 2i+1)", changed_config(rope_interleave=True), "minicpm3_published minicpm3_plain"),
    ("minicpm3: embeddings not scaled", changed_config(scale_emb=1),
     "minicpm3_published minicpm3_plain minicpm3_defaults"),
    ("minicpm3: blocks not scaled", changed_config(scale_depth=None), "minicpm3_published minicpm3_defaults"),
    ("minicpm3: blocks scaled", changed_config(scale_depth=1.4), "minicpm3_plain"),
    ("minicpm3: logits not scaled", changed_config(dim_model_base=None), "minicpm3_published minicpm3_defaults"),
    ("minicpm3: logits scaled", changed_config(dim_model_base=256), "minicpm3_plain"),
    ("youtu: pairs (2i, 2i+1)", changed_config(rope_interleave=True), "youtu_halves"),
    ("youtu: pairs (i, i + d/2)", changed_config(rope_interleave=False), "youtu_published"),
    ("glm4: weights normalized", changed_config(norm_topk_prob=True), "glm4_not_read"),
    ("glm4: no groups", changed_config(n_group=1, topk_group=1), "glm4_layer_types"),
    ("mistral4: queries not scaled", queries(lambda rope, p: 1 + 0.0 * p), MISTRAL4),
    ("mistral4: lengths not whole", queries(lambda r, p: 1 + r["llama_4_scaling_beta"] * np.log1p(lengths(r, p))), MISTRAL4),
    ("mistral4: lengths count from 1", queries(lambda r, p: 1 + r["llama_4_scaling_beta"] * np.log1p(lengths(r, p + 1) // 1)),
     MISTRAL4),
    ("mistral4: groups by their best", replaced("group_scores", groups_by_maximum),
     "mistral4_groups mistral4_save_pretrained"),
    ("mistral4: weights normalized", changed_config(norm_topk_prob=True), "mistral4_groups"),
    ("mistral4: weights not normalized", changed_config(norm_topk_prob=False),
     "mistral4_published mistral4_save_pretrained"),
    ("longcat: halves swapped", replaced("half", half_swapped), LONGCAT),
    ("longcat: experts see the second half", replaced("layer", experts_see_the_second_half), LONGCAT),
    ("longcat: experts join early", replaced("layer", experts_join_early), LONGCAT),
    ("longcat: zero experts give nothing", replaced("expert", zero_experts_give_nothing), ZERO),
    ("longcat: no correction bias", routed_with(0.0, False), LONGCAT),
    ("longcat: weights normalized", routed_with(1.0, True), LONGCAT),
    ("longcat: router bias added", replaced("route", router_bias_added), "longcat_two_layers"),
    ("longcat: queries' latents not scaled", without_latent_scale("q_a_layernorm"), LONGCAT),
    ("longcat: latents not scaled", without_latent_scale("kv_a_layernorm"), LONGCAT),
]  # fmt: skip
