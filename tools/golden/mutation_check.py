"""Proves that the goldens have teeth: each wrong reading of the model must visibly change the logits of its variants.

    python tools/golden/mutation_check.py
"""

import fnmatch
import json

import numpy as np
import numpy_reference as reference
from make_goldens import DEFAULT_OUTPUT
from mutations import changed_config, changed_rope, without_tensors
from mutations_dsa import DSA_MUTATIONS
from mutations_llama import LLAMA_MUTATIONS
from mutations_mla import MLA_MUTATIONS
from numpy_encodings import alibi_slopes
from numpy_families import load
from variants import all_variants
from variants_dsa import dsa_variants
from variants_llama import all_llama_variants
from variants_mla import mla_variants

VISIBLE = 1e-2


def swapped_gate_and_up(model):
    for name in fnmatch.filter(list(model.tensors), "*.gate_proj.weight"):
        other = name.replace("gate_proj", "up_proj")
        model.tensors[name], model.tensors[other] = model.tensors[other], model.tensors[name]


def masked_with_zero(model):
    original = model.keep_groups
    model.keep_groups = lambda scores, groups, masked: original(scores, groups, 0.0)


def groups_ranked_by_maximum(model):
    def keep(scores, groups, masked):
        best = scores.reshape(len(scores), model.config["n_group"], -1).max(-1)
        return type(model).keep_groups(model, scores, best, masked)

    model.keep_groups = keep


def latent_norms_use_config_eps(model):
    original = model.norm
    model.norm = lambda name, x, eps: original(name, x, model.config["rms_norm_eps"])


def from_position(first):
    return lambda model: setattr(model, "first_position", first)


def changed_vectors(change):
    """`change`(the vectors [tokens, hidden_size]) is added to the embeddings."""

    def mutate(model):
        original = model.position_vectors
        model.position_vectors = lambda tokens: change(original(tokens))

    return mutate


def sines_before_cosines(vectors):
    return np.concatenate([vectors[:, 0::2], vectors[:, 1::2]], 1)


def turned_rotary_part(model):
    encoding = model.config["position_encoding"]
    original = model.rotated

    def rotated(x):
        model.config["position_encoding"] = "rope"
        turned = original(x)
        model.config["position_encoding"] = encoding
        return turned

    model.rotated = rotated


def without_rotary_part(model):
    for name in fnmatch.filter(list(model.tensors), "*.kv_a_proj_with_mqa.weight"):
        model.tensors[name][model.config["kv_lora_rank"] :] = 0


def changed_bias(change):
    """`change`(config, finite biases [heads, queries, keys])"""

    def mutate(model):
        original = model.score_bias

        def score_bias(tokens):
            bias = original(tokens)
            seen = np.isfinite(bias)
            return np.where(seen, change(model.config, np.where(seen, bias, 0)), bias)

        model.score_bias = score_bias

    return mutate


def slopes_as_of_a_power_of_two(config, bias):
    heads = config["num_attention_heads"]
    wanted = 2.0 ** (-8 * (np.arange(heads) + 1) / heads)
    distance = bias[0] / alibi_slopes(heads)[0]
    return wanted[:, None, None] * distance


V2_MOE, V3_MOE = "v2_q_lora v2_group_limited v2_moe_from_0", "v3_groups v3_moonlight v3_kimi_k2 v3_moe_from_0"
YARN = "v2_lite_yarn v2_yarn_mscales v3_r1_yarn v3_yarn_mscales v3_kimi_k2"
MUTATIONS = [
    ("rotary pairs (i, i+d/2)", changed_config(model_type="deepseek_v3", rope_interleave=False),
     "v2_dense_only v3_dense_only"),
    ("rotary pairs (2i, 2i+1)", changed_config(rope_interleave=True), "v3_no_interleave"),
    ("gate and up swapped", swapped_gate_and_up, "v2_dense_only v3_groups"),
    ("config eps in latent norms", latent_norms_use_config_eps, "v2_dense_only v3_dense_only"),
    ("rms_norm_eps 1e-6", changed_config(rms_norm_eps=1e-6), "v2_dense_only v3_dense_only"),
    ("no groups", changed_config(n_group=1, topk_group=1), "v2_group_limited v3_groups v3_mtp"),
    ("greedy instead of groups", changed_config(topk_method="greedy"), "v2_group_limited"),
    ("group score is the maximum", groups_ranked_by_maximum, "v3_groups v3_moe_from_0"),
    ("excluded groups masked with 0", masked_with_zero, "v3_negative_scores"),
    ("no correction bias", without_tensors("*e_score_correction_bias"), V3_MOE),
    ("no routed scaling", changed_config(routed_scaling_factor=1.0), "v2_group_limited " + V3_MOE),
    ("weights not normalized", changed_config(norm_topk_prob=False), V3_MOE),
    ("weights normalized", changed_config(norm_topk_prob=True), "v3_no_topk_norm"),
    ("no shared experts", changed_config(n_shared_experts=0), V2_MOE + " v3_shared_2 v3_moonlight"),
    ("no attention bias", without_tensors("*.self_attn.*.bias"), "v2_attention_bias v3_attention_bias"),
    ("no bias on q_a", without_tensors("*.q_a_proj.bias"), "v2_attention_bias v3_attention_bias"),
    ("no bias on kv_a", without_tensors("*.kv_a_proj_with_mqa.bias"), "v2_attention_bias v3_attention_bias"),
    ("no bias on o", without_tensors("*.o_proj.bias"), "v2_attention_bias v3_attention_bias"),
    ("no mlp bias", without_tensors("*.mlp.*.bias"), "v2_mlp_bias"),
    ("no mscale in softmax scale", changed_rope(mscale_all_dim=0, attention_factor=1.0), YARN + " v3_linear"),
    ("attention factor 1", changed_rope(attention_factor=1.0), "v2_yarn_mscales v2_yarn_no_mscale v3_yarn_mscales"),
    ("attention factor derived", changed_rope(attention_factor=None), "v3_yarn_attention_factor"),
    ("yarn truncates", changed_rope(truncate=True), "v2_yarn_no_mscale"),
    ("yarn does not truncate", changed_rope(truncate=False), "v2_yarn_mscales v3_yarn_mscales"),
    ("yarn original length", changed_rope(original_max_position_embeddings=1024), YARN),
    ("beta_fast 32", changed_rope(beta_fast=32), "v2_yarn_mscales v3_yarn_mscales"),
    ("rope_theta 10000", changed_rope(rope_theta=10000.0), "v2_new_style v3_kimi_k2 v3_moonlight"),
]  # fmt: skip

NOT_TURNED = "positions_none positions_integer positions_binary positions_sinusoidal positions_learned positions_alibi"
COUPLED = "simplified_rope simplified_rope_halves simplified_rope_experts simplified_rope_yarn"
ALIBI = "positions_alibi positions_alibi_experts simplified_alibi simplified_alibi_3_heads"
ENCODING_MUTATIONS = [
    ("the rotary part is turned", turned_rotary_part, NOT_TURNED + " positions_alibi_experts"),
    ("the rotary part is left out", without_rotary_part, NOT_TURNED + " positions_rope positions_rope_decoupled"),
    ("the whole keys are turned", turned_rotary_part, "simplified_none simplified_integer simplified_alibi"),
    ("counted from 1", from_position(1), "positions_integer positions_binary positions_sinusoidal positions_learned "
     "simplified_integer simplified_binary simplified_sinusoidal simplified_learned"),
    ("nothing is added", changed_vectors(np.zeros_like), "positions_integer positions_binary positions_sinusoidal "
     "positions_learned simplified_integer simplified_binary simplified_sinusoidal simplified_learned"),
    ("highest digit first", changed_vectors(lambda x: x[:, ::-1]), "positions_binary simplified_binary"),
    ("6 digits of the position", changed_vectors(lambda x: x * (np.arange(x.shape[1]) < 6)), "positions_binary "
     "simplified_binary"),
    ("sines before cosines", changed_vectors(sines_before_cosines), "positions_sinusoidal simplified_sinusoidal"),
    ("embedding not scaled", changed_config(scale_embedding=False), "positions_sinusoidal simplified_learned"),
    ("embedding scaled", changed_config(scale_embedding=True), "simplified_sinusoidal positions_learned"),
    ("coupled rope: nothing is turned", changed_config(position_encoding="none"), COUPLED + " positions_rope"),
    ("coupled rope: pairs (i, i+d/2)", changed_config(model_type="deepseek_v3", rope_interleave=False),
     "simplified_rope simplified_rope_yarn"),
    ("coupled rope: pairs (2i, 2i+1)", changed_config(rope_interleave=True), "simplified_rope_halves"),
    ("coupled rope: rope_theta 10000", changed_rope(rope_theta=10000.0), "simplified_rope simplified_rope_halves"),
    ("no linear bias", changed_bias(lambda _, bias: 0 * bias), ALIBI),
    ("linear bias is scaled too", changed_bias(lambda c, bias: bias * reference.softmax_scale(c)), ALIBI),
    ("slopes as of a power of two", changed_bias(slopes_as_of_a_power_of_two),
     "positions_alibi simplified_alibi_3_heads"),
    ("slopes from 1 on", changed_bias(lambda c, bias: bias / alibi_slopes(c["num_attention_heads"])[0]), ALIBI),
]  # fmt: skip


def effect(mutate, directory):
    model = load(directory)
    mutate(model)
    prompt = json.loads((directory / "reference.json").read_text())["prompt_ids"]
    return np.abs(model.logits(np.array(prompt)) - np.load(directory / "logits.npy")).max()


def main():
    variants = all_variants() + all_llama_variants() + mla_variants() + dsa_variants()
    known, harmless = {variant.name for variant in variants}, 0
    for title, mutate, names in MUTATIONS + ENCODING_MUTATIONS + LLAMA_MUTATIONS + MLA_MUTATIONS + DSA_MUTATIONS:
        for name in names.split():
            assert name in known, name
            difference = effect(mutate, DEFAULT_OUTPUT / name)
            harmless += difference < VISIBLE
            print(f"{title:32} {name:26} {difference:8.2g}{'' if difference >= VISIBLE else '  INVISIBLE'}")
    if harmless:
        raise SystemExit(f"{harmless} mutations go unnoticed")


if __name__ == "__main__":
    main()
