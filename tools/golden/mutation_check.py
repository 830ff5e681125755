"""Proves that the goldens have teeth: each wrong reading of the model must visibly change the logits of its variants.

    python tools/golden/mutation_check.py
"""

import fnmatch
import json

import numpy as np
import numpy_reference as reference
from make_goldens import DEFAULT_OUTPUT
from variants import all_variants

VISIBLE = 1e-2


def changed_config(**changes):
    return lambda model: model.config.update(changes)


def changed_rope(**changes):
    return lambda model: model.config["rope"].update(changes)


def without_tensors(pattern):
    def mutate(model):
        for name in fnmatch.filter(list(model.tensors), pattern):
            model.tensors[name] = np.zeros_like(model.tensors[name])

    return mutate


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


def effect(mutate, directory):
    model = reference.load(directory)
    mutate(model)
    prompt = json.loads((directory / "reference.json").read_text())["prompt_ids"]
    return np.abs(model.logits(np.array(prompt)) - np.load(directory / "logits.npy")).max()


def main():
    known, harmless = {variant.name for variant in all_variants()}, 0
    for title, mutate, names in MUTATIONS:
        for name in names.split():
            assert name in known, name
            difference = effect(mutate, DEFAULT_OUTPUT / name)
            harmless += difference < VISIBLE
            print(f"{title:30} {name:26} {difference:8.2g}{'' if difference >= VISIBLE else '  INVISIBLE'}")
    if harmless:
        raise SystemExit(f"{harmless} mutations go unnoticed")


if __name__ == "__main__":
    main()
