"""Random tensors of the families in variants_mla.py, where their names or scales differ from DeepSeek's."""

import numpy as np
import torch
from random_weights import MAKERS, WeightMaker


class DenseMaker(WeightMaker):
    """Tied where config.json is silent."""

    def __init__(self, variant, seed):
        super().__init__(variant, seed)
        c = self.config
        heads = c["num_attention_heads"]
        defaults = dict(first_k_dense_replace=c["num_hidden_layers"], tie_word_embeddings=True,
                        v_head_dim=c["hidden_size"] // heads)  # fmt: skip
        self.config = {**defaults, **c}


class MiniCpm3Maker(DenseMaker):
    def model(self):
        """Multiplied by scale_emb, embeddings would drown the blocks."""
        tensors, tied = super().model(), self.config["tie_word_embeddings"]
        tensors["model.embed_tokens.weight"] *= np.float32(0.4 if tied else 1 / self.config.get("scale_emb", 12))
        return tensors


class Glm4Maker(WeightMaker):
    def __init__(self, variant, seed):
        super().__init__(variant, seed)
        c = self.config
        types = c.get("mlp_layer_types", ["dense"] + ["sparse"] * (c["num_hidden_layers"] - 1 + variant.mtp_layers))
        self.config = {**c, "mlp_layer_types": types}

    def mixture(self, prefix, mlp_bias):
        self.correction_bias(prefix + "gate.", self.config["n_routed_experts"])
        super().mixture(prefix, mlp_bias)


class Mistral4Maker(WeightMaker):
    def mixture(self, prefix, mlp_bias):
        """All experts in one tensor: transformers knows no other form."""
        super().mixture(prefix, mlp_bias)
        experts = range(self.config["n_routed_experts"])
        gate, up, down = (
            np.stack([self.tensors.pop(f"{prefix}experts.{e}.{part}_proj.weight") for e in experts])
            for part in ("gate", "up", "down")
        )
        self.tensors[prefix + "experts.gate_up_proj"] = np.concatenate([gate, up], 1)
        self.tensors[prefix + "experts.down_proj"] = down


class LongcatMaker(WeightMaker):
    def layer(self, index):
        c, prefix = self.config, f"model.layers.{index}."
        for half in "01":
            self.norm(prefix + "input_layernorm." + half, c["hidden_size"])
            self.norm(prefix + "post_attention_layernorm." + half, c["hidden_size"])
            self.attention(prefix + f"self_attn.{half}.")
            self.mlp(prefix + f"mlps.{half}.", c["ffn_hidden_size"])
        all_experts = c["n_routed_experts"] + c["zero_expert_num"]
        self.linear(prefix + "mlp.router.classifier", all_experts, c["hidden_size"], 1.3, c["router_bias"])
        self.correction_bias(prefix + "mlp.router.", all_experts)
        for expert in range(c["n_routed_experts"]):
            self.mlp(f"{prefix}mlp.experts.{expert}.", c["expert_ffn_hidden_size"])

    def prediction_layer(self, index):
        self.norm("model.mtp.norm", self.config["hidden_size"])
        self.linear("model.mtp.layers.0.eh_proj", self.config["hidden_size"], 2 * self.config["hidden_size"])

    def model(self):
        self.config = {**self.config, "num_hidden_layers": self.config["num_layers"]}
        return super().model()


def has_zero_experts(variant):
    return variant.config.get("zero_expert_num", 0) > 0


def with_zero_experts(variant, tensors):
    """transformers wants gate_proj and up_proj of zero experts, too, and never looks at them."""
    if not has_zero_experts(variant):
        return tensors
    c, result = variant.config, dict(tensors)
    for name in [name for name in tensors if name.endswith(("experts.0.gate_proj.weight", "experts.0.up_proj.weight"))]:
        for zero in range(c["zero_expert_num"]):
            number = c["n_routed_experts"] + zero
            result[name.replace("experts.0", f"experts.{number}")] = torch.full_like(tensors[name], 1e3 + zero)
    return result


MAKERS.update(minicpm3=MiniCpm3Maker, youtu=DenseMaker, glm4_moe_lite=Glm4Maker, mistral4=Mistral4Maker,
              longcat_flash=LongcatMaker)  # fmt: skip
