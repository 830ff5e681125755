"""Random tensors of DeepSeek-V3.2: those of V3 and the indexer's."""

import numpy as np
from random_weights import MAKERS, WeightMaker


class SparseWeightMaker(WeightMaker):
    def attention(self, prefix):
        super().attention(prefix)
        c, index = self.config, prefix + "indexer."
        self.linear(index + "wq_b", c["index_n_heads"] * c["index_head_dim"], c["q_lora_rank"], gain=1.3)
        self.linear(index + "wk", c["index_head_dim"], c["hidden_size"])
        self.norm(index + "k_norm", c["index_head_dim"])
        self.tensors[index + "k_norm.bias"] = self.random.normal(0.0, 0.6, c["index_head_dim"]).astype(np.float32)
        self.linear(index + "weights_proj", c["index_n_heads"], c["hidden_size"])


MAKERS["deepseek_v32"] = SparseWeightMaker
