"""Every command on models that cache keys and values, and their malformed checkpoints."""

import json
import random
import shutil
import struct
import unittest

from _support import STORIES, TestCase, mla, read_json, rebuild, write_json, write_safetensors

TEXT = "The dog chased the ball. It could not catch it."
HIDDEN, WIDTH = 24, 32


def write_model(folder, config, shapes):
    """A random model with the vocabulary and the tokenizer of models/stories."""
    folder.mkdir()
    numbers, header, data = random.Random(1), {}, b""
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        around = 1.0 if "norm" in name or ".ln_" in name else 0.0
        values = [around + numbers.gauss(0.0, 0.2) for _ in range(count)]
        part = struct.pack(f"<{count}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    write_json(folder / "config.json", config)
    write_safetensors(folder / "model.safetensors", header, data)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (STORIES / name).exists():
            shutil.copy(STORIES / name, folder)
    return folder


def llama_model(folder):
    vocabulary = read_json(STORIES / "config.json")["vocab_size"]
    config = {
        "model_type": "mistral", "vocab_size": vocabulary, "hidden_size": HIDDEN, "intermediate_size": WIDTH,
        "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "sliding_window": 6,
        "max_position_embeddings": 96, "tie_word_embeddings": True,
    }  # fmt: skip
    layer = "model.layers.0."
    shapes = {
        "model.embed_tokens.weight": [vocabulary, HIDDEN],
        "model.norm.weight": [HIDDEN],
        layer + "input_layernorm.weight": [HIDDEN],
        layer + "post_attention_layernorm.weight": [HIDDEN],
        layer + "self_attn.q_proj.weight": [HIDDEN, HIDDEN],
        layer + "self_attn.k_proj.weight": [HIDDEN // 2, HIDDEN],
        layer + "self_attn.v_proj.weight": [HIDDEN // 2, HIDDEN],
        layer + "self_attn.o_proj.weight": [HIDDEN, HIDDEN],
        layer + "mlp.gate_proj.weight": [WIDTH, HIDDEN],
        layer + "mlp.up_proj.weight": [WIDTH, HIDDEN],
        layer + "mlp.down_proj.weight": [HIDDEN, WIDTH],
    }
    return write_model(folder, config, shapes)


def gpt2_model(folder):
    vocabulary = read_json(STORIES / "config.json")["vocab_size"]
    config = {"model_type": "gpt2", "vocab_size": vocabulary, "n_embd": HIDDEN, "n_layer": 1, "n_head": 3,
              "n_positions": 96}  # fmt: skip
    shapes = {"wte.weight": [vocabulary, HIDDEN], "wpe.weight": [96, HIDDEN]}
    for name in ("h.0.ln_1", "h.0.ln_2", "ln_f"):
        shapes.update({name + ".weight": [HIDDEN], name + ".bias": [HIDDEN]})
    sizes = {"attn.c_attn": (HIDDEN, 3 * HIDDEN), "attn.c_proj": (HIDDEN, HIDDEN), "mlp.c_fc": (HIDDEN, 4 * HIDDEN),
             "mlp.c_proj": (4 * HIDDEN, HIDDEN)}  # fmt: skip
    for name, (inputs, outputs) in sizes.items():
        shapes.update({f"h.0.{name}.weight": [inputs, outputs], f"h.0.{name}.bias": [outputs]})
    return write_model(folder, config, shapes)


class Commands(TestCase):
    def setUp(self):
        super().setUp()
        self.models = [llama_model(self.folder / "llama"), gpt2_model(self.folder / "gpt2")]

    def test_every_command(self):
        text_file = self.folder / "text.txt"
        text_file.write_text(TEXT * 4)
        for model in self.models:
            with self.subTest(model.name):
                self.succeed("generate", "-m", model, "-p", TEXT, "-n", 9, "--temp", 0)
                self.succeed("logits", "-m", model, "-p", TEXT, "-o", self.folder / "logits.npy")
                self.succeed("perplexity", "-m", model, "-f", text_file, "-c", 40)
                for encoding in ("none", "integer", "binary", "sinusoidal", "rope", "alibi"):
                    self.succeed("generate", "-m", model, "-p", TEXT, "-n", 3, "--position-encoding", encoding)
                self.succeed("encodings", "-m", model, "--name", "rope", "--name", "alibi")

    def test_compare(self):
        for model in self.models:
            with self.subTest(model.name):
                page = self.folder / "page.html"
                document = json.loads(
                    self.succeed("compare", TEXT, "--word", "it", "-m", model, "--json", "-", "--html", page).text
                )
                rows = {(row["encoding"], row["mask"]): row for row in document["rows"]}
                own = "learned" if model.name == "gpt2" else "rope"
                self.assertTrue(rows[own, "causal"]["trained"])
                self.assertNotIn(("rope-decoupled", "causal"), rows)
                self.assertLess(rows["rope", "causal"]["norm_error"], 1e-5)
                self.assertIsNone(rows["rope", "causal"]["absorption_error"])
                self.assertLess(rows["rope", "causal"]["shift_error"], 1e-4)
                self.assertNotIn('id="mla"', page.read_text())
                text = self.succeed("compare", TEXT, "--word", "it", "-m", model).text
                self.assertNotIn("W_UK", text)
                self.assertNotIn("DeepSeek", text)

    def test_a_window_hides_what_is_far_away(self):
        document = json.loads(self.succeed("compare", TEXT, "--word", "it", "-m", self.models[0], "--json", "-").text)
        for row in document["rows"]:
            attention = row["layers"][0]["heads"][0]["attention"]
            for query, line in enumerate(attention):
                for key, probability in enumerate(line):
                    if abs(query - key) >= 6:
                        self.assertEqual(probability, 0, (row["encoding"], query, key))

    def test_without_positions_a_window_tells_words_apart(self):
        sentence = "The dog chased another dog"
        text = self.succeed("compare", sentence, "--word", "dog", "-m", self.models[1]).text
        self.assertNotIn("sliding window", text)
        long_sentence = "The dog chased the other dogs over the wide field and then another dog"
        text = self.succeed("compare", long_sentence, "--word", "dog", "-m", self.models[0]).text
        self.assertIn("none, bidirectional: the sliding window alone tells them apart", text.replace("\n  ", " "))

    def test_inspect(self):
        text = self.succeed("inspect", "-m", self.models[0], "--precision", "f32").text
        self.assertIn("GQA, 4 query heads over 2 key-value heads, sliding window of 6 in 1 of 1 layers", text)
        self.assertIn("96 bytes grouped (192 as full keys and values)", text)
        text = self.succeed("inspect", "-m", self.models[1], "--precision", "f32").text
        self.assertIn("MHA, 3 heads", text)
        self.assertIn("192 bytes, full keys and values", text)
        self.assertNotIn("latent", text)
        cache = json.loads(self.succeed("inspect", "-m", self.models[0], "--json", "--precision", "f32").text)["kv_cache_bytes_per_token"]
        self.assertEqual(cache, {"grouped": 96, "full": 192})
        cache = json.loads(self.succeed("inspect", "-m", self.models[1], "--json", "--precision", "f32").text)["kv_cache_bytes_per_token"]
        self.assertEqual(cache, {"full": 192})

    def test_what_does_not_fit_is_refused(self):
        result = mla("generate", "-m", self.models[0], "-p", TEXT, "-n", 2, "--position-encoding", "rope-decoupled")
        self.assert_one_error_line(result, "rope-decoupled")
        result = mla("generate", "-m", self.models[0], "-p", TEXT, "-n", 2, "--position-encoding", "learned")
        self.assert_one_error_line(result, "learned")


class Malformed(TestCase):
    def refuse(self, base, values, *parts):
        folder = self.copy(base, base + str(len(list(self.folder.iterdir()))))
        config = read_json(folder / "config.json")
        for key, value in values.items():
            if value is None:
                config.pop(key)
            else:
                config[key] = value
        write_json(folder / "config.json", config)
        self.assert_one_error_line(mla("inspect", "-m", folder, bounded=True), *parts)

    def test_configs(self):
        for base, values, parts in (
            ("llama_gqa", {"num_key_value_heads": 4}, ("num_key_value_heads", "found 4", "divisor")),
            ("llama_gqa", {"hidden_act": "gelu"}, ("hidden_act", "gelu", "silu")),
            ("llama_gqa", {"num_hidden_layers": 2147483647}, ("model.layers.2.",)),
            ("llama_gqa", {"hidden_size": 2147483640}, ("model.embed_tokens.weight", "found shape")),
            ("llama_gqa", {"rope_scaling": {"rope_type": "su"}}, ("rope_scaling.rope_type", "su")),
            ("llama_mha", {"num_key_value_heads": 3}, ("k_proj.weight", "found shape", "[18, 36]")),
            ("mistral_window", {"sliding_window": None}, ("sliding_window",)),
            ("mistral_window", {"sliding_window": 0}, ("sliding_window", "found 0")),
            ("qwen2_layer_types", {"layer_types": ["full_attention"] * 2}, ("layer_types", "found 2")),
            ("qwen2_plain", {"model_type": "llama"}, ("self_attn.k_proj.bias", "does not have")),
            ("qwen3_plain", {"head_dim": None}, ("head_dim",)),
            ("gpt2_plain", {"activation_function": "swish"}, ("activation_function", "swish", "gelu_new")),
            ("gpt2_plain", {"n_head": 4}, ("n_embd", "n_head")),
            ("gpt2_plain", {"conv1d_layout": False}, ("c_attn.weight", "found shape [30, 90]", "[90, 30]")),
        ):
            with self.subTest(base=base, **values):
                self.refuse(base, values, *parts)

    def test_weights(self):
        folder = self.copy("gpt2_plain")
        rebuild(folder / "model.safetensors", lambda tensors: tensors.pop("transformer.wpe.weight"))
        self.assert_one_error_line(mla("inspect", "-m", folder), "transformer.wpe.weight", "missing")
        folder = self.copy("qwen3_plain", "qwen3")
        rebuild(folder / "model.safetensors", lambda tensors: tensors.pop("model.layers.1.self_attn.k_norm.weight"))
        self.assert_one_error_line(mla("inspect", "-m", folder), "model.layers.1.self_attn.k_norm.weight", "missing")


if __name__ == "__main__":
    unittest.main()
