"""The families of variants_mla.py, where they differ from DeepSeek; after their papers and configuration classes."""

from math import sqrt

import numpy as np
from numpy_reference import MODELS, NumpyModel, softmax

# What a family's class assumes where config.json is silent, or is not asked.
DEFAULTS = {
    "minicpm3": dict(tie_word_embeddings=True, rms_norm_eps=1e-5, scale_emb=12, scale_depth=1.4, dim_model_base=256,
                     rope_interleave=False),
    "youtu": dict(tie_word_embeddings=True),
    "glm4_moe_lite": dict(rms_norm_eps=1e-5, routed_scaling_factor=1.8, first_k_dense_replace=1),
    "mistral4": dict(first_k_dense_replace=0),
    "longcat_flash": dict(rms_norm_eps=1e-5, rope_theta=1e7, routed_scaling_factor=6.0, zero_expert_num=256),
}  # fmt: skip


class FamilyModel(NumpyModel):
    def __init__(self, config, tensors):
        defaults = DEFAULTS[config["model_type"]]
        missing = {key: value for key, value in defaults.items() if key not in config.get("written", defaults)}
        if config["model_type"] == "glm4_moe_lite":
            missing["first_k_dense_replace"] = 1
        config = {**config, **missing}
        rope = config["rope"] = dict(config["rope"])
        if "rope_theta" in missing and "rope_theta" not in (config.get("rope_parameters") or {}):
            rope["rope_theta"] = missing["rope_theta"]
        super().__init__(config, tensors)


class DenseModel(FamilyModel):
    def layer(self, index, h):
        prefix, eps, scale = f"model.layers.{index}.", self.config["rms_norm_eps"], self.residual_scale()
        h = h + scale * self.attention(prefix + "self_attn.", self.norm(prefix + "input_layernorm", h, eps))
        x = self.norm(prefix + "post_attention_layernorm", h, eps)
        return h + scale * self.mlp(prefix + "mlp.", x)

    def residual_scale(self):
        return 1.0


class MiniCpm3Model(DenseModel):
    def residual_scale(self):
        depth = self.config["scale_depth"]
        return 1.0 if depth is None else depth / sqrt(self.config["num_hidden_layers"])

    def embed(self, ids):
        plain = self.tensors["model.embed_tokens.weight"][ids]
        return plain * self.config["scale_emb"] + self.position_vectors(len(ids))

    def norm(self, name, x, eps):
        base, hidden = self.config["dim_model_base"], self.config["hidden_size"]
        scale = base / hidden if name == "model.norm" and base is not None else 1.0
        return super().norm(name, x, eps) * scale


class Mistral4Model(FamilyModel):
    def query_scales(self, tokens):
        rope = self.config["rope"]
        lengths = self.positions(tokens) // rope.get("original_max_position_embeddings", 1)
        return 1 + rope.get("llama_4_scaling_beta", 0) * np.log1p(lengths)

    def queries_keys_values(self, prefix, x):
        q, k, v = super().queries_keys_values(prefix, x)
        if self.config["position_encoding"] in ("rope", "rope-decoupled"):
            q = q * self.query_scales(len(x))[:, None, None]
        return q, k, v

    def group_scores(self, scores):
        return np.sort(scores.reshape(len(scores), self.config["n_group"], -1), -1)[..., -2:].sum(-1)

    def route(self, prefix, x):
        c, scores = self.config, softmax(self.linear(prefix + "gate", x))
        choice = self.keep_groups(scores, self.group_scores(scores), 0.0)
        weights = scores * self.best(choice, c["num_experts_per_tok"])
        if c["norm_topk_prob"]:
            weights /= weights.sum(-1, keepdims=True) + 1e-20
        return weights * c["routed_scaling_factor"]


class LongcatModel(FamilyModel):
    def latent_scale(self, rank):
        return sqrt(self.config["hidden_size"] / rank)

    def norm(self, name, x, eps):
        scale = self.latent_scale(x.shape[-1]) if name.endswith(("q_a_layernorm", "kv_a_layernorm")) else 1.0
        return super().norm(name, x, eps) * scale

    def route(self, prefix, x):
        scores = softmax(x @ self.tensors[prefix + "router.classifier.weight"].T)  # The bias is not added.
        choice = scores + self.tensors[prefix + "router.e_score_correction_bias"]
        return scores * self.best(choice, self.config["moe_topk"]) * self.config["routed_scaling_factor"]

    def expert(self, prefix, index, x):
        return x if index >= self.config["n_routed_experts"] else super().expert(prefix, index, x)

    def mixture(self, prefix, x):
        weights = self.route(prefix, x)
        return sum(weights[:, [e]] * self.expert(prefix, e, x) for e in range(weights.shape[1]))

    def half(self, prefix, half, h):
        eps = self.config["rms_norm_eps"]
        h = h + self.attention(f"{prefix}self_attn.{half}.", self.norm(f"{prefix}input_layernorm.{half}", h, eps))
        x = self.norm(f"{prefix}post_attention_layernorm.{half}", h, eps)
        return h + self.mlp(f"{prefix}mlps.{half}.", x), x

    def layer(self, index, h):
        prefix = f"model.layers.{index}."
        h, seen = self.half(prefix, 0, h)
        h, _ = self.half(prefix, 1, h)
        return h + self.mixture(prefix + "mlp.", seen)

    def logits(self, ids):
        self.config["num_hidden_layers"] = self.config["num_layers"]
        return super().logits(ids)


MODELS.update(minicpm3=MiniCpm3Model, youtu=DenseModel, glm4_moe_lite=FamilyModel, mistral4=Mistral4Model,
              longcat_flash=LongcatModel)  # fmt: skip
