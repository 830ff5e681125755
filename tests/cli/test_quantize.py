"""mla quantize."""

import os
import resource
import shutil
import signal
import struct
import subprocess
import time
import unittest

from _support import (CHECKPOINTS, MLA, STORIES, TestCase, environment, mla, read_json, read_safetensors, rebuild, start,
                      write_json)

TYPES = ("q8_0", "q4_0", "q4_k_m", "q6_k", "bf16", "f32")
GGML_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 30: "BF16"}
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


class Gguf:
    """A GGUF file, read independently of the program: metadata, and tensors as (shape innermost first, type, offset)."""

    def __init__(self, file):
        self.content = file.read_bytes()
        self.at = 0
        assert self.take(4) == b"GGUF"
        assert self.number("<I") == 3
        tensors, entries = self.number("<Q"), self.number("<Q")
        self.metadata = {}
        for _ in range(entries):
            key = self.text()
            self.metadata[key] = self.value(self.number("<I"))
        self.tensors = {}
        for _ in range(tensors):
            name = self.text()
            shape = [self.number("<Q") for _ in range(self.number("<I"))]
            self.tensors[name] = (shape, GGML_TYPES[self.number("<I")], self.number("<Q"))
        self.data = (self.at + 31) // 32 * 32

    def take(self, count):
        self.at += count
        return self.content[self.at - count : self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self):
        return self.take(self.number("<Q")).decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            element, count = self.number("<I"), self.number("<Q")
            return [self.value(element) for _ in range(count)]
        return self.number(SCALARS[kind])

    def floats(self, name):
        shape, kind, offset = self.tensors[name]
        assert kind == "F32", kind
        count = 1
        for dimension in shape:
            count *= dimension
        return struct.unpack_from(f"<{count}f", self.content, self.data + offset)


def write_gguf(file, metadata, tensors):
    """Metadata are strings and uint32s; tensors are {name: (shape innermost first, bytes of float32)}."""
    text = lambda content: struct.pack("<Q", len(content)) + content.encode()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += text(key)
        head += struct.pack("<I", 8) + text(value) if isinstance(value, str) else struct.pack("<II", 4, value)
    data = b""
    for name, (shape, content) in tensors.items():
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += content + b"\0" * (-len(content) % 32)
    file.write_bytes(head + b"\0" * (-len(head) % 32) + data)


class Quantize(TestCase):
    def quantize(self, model, kind, *arguments, name="out.gguf"):
        file = self.folder / name
        result = self.succeed("quantize", "-m", model, "-o", file, "--type", kind, *arguments)
        self.assertEqual(result.out, b"")
        self.assertRegex(result.err, r"tensors \(.*\)\n[0-9.]+ MiB -> [0-9.]+ MiB, [0-9.]+ bits per weight\n$")
        return file

    def test_stories_as_every_type(self):
        file_types = {"q8_0": 7, "q4_0": 2, "q4_k_m": 15, "q6_k": 18, "bf16": 32, "f32": 0}
        sizes = []
        for kind in TYPES:
            gguf = Gguf(self.quantize(STORIES, kind, name=kind))
            self.assertEqual(gguf.metadata["general.architecture"], "deepseek2")
            self.assertEqual(gguf.metadata["general.file_type"], file_types[kind])
            self.assertEqual(gguf.metadata["deepseek2.block_count"], 4)
            self.assertEqual(gguf.metadata["deepseek2.attention.key_length_mla"], 48)
            self.assertEqual(gguf.metadata["tokenizer.ggml.model"], "gpt2")
            self.assertEqual(len(gguf.metadata["tokenizer.ggml.tokens"]), 3072)
            self.assertIs(gguf.metadata["tokenizer.ggml.add_bos_token"], True)
            self.assertEqual(gguf.tensors["blk.1.ffn_up_exps.weight"][0], [192, 128, 8])
            self.assertEqual(gguf.tensors["blk.1.ffn_gate_inp.weight"][1], "F32")
            self.assertEqual(gguf.tensors["blk.2.attn_k_b.weight"][0], [32, 64, 6])
            self.assertEqual(gguf.tensors["blk.2.attn_v_b.weight"][0], [64, 32, 6])
            self.assertNotIn("blk.2.attn_kv_b.weight", gguf.tensors)
            sizes.append(len(gguf.content))
        self.assertEqual(sorted(sizes, reverse=True), [sizes[i] for i in (5, 4, 0, 3, 2, 1)])

    def test_same_logits_from_the_file(self):
        whole = self.quantize(STORIES, "bf16")
        ids = "0,17,99,5,300,2,41,1000,7"
        for model, name in ((STORIES, "a.npy"), (whole, "b.npy")):
            self.succeed("logits", "-m", model, "--ids", ids, "-o", self.folder / name)
        a, b = ((self.folder / name).read_bytes()[128:] for name in ("a.npy", "b.npy"))
        a, b = (struct.unpack(f"<{len(part) // 4}f", part) for part in (a, b))
        self.assertEqual(len(a), len(b))
        self.assertLess(max(abs(x - y) for x, y in zip(a, b)), 1e-3)

    def test_text_is_split_in_the_same_way(self):
        file = self.quantize(STORIES, "q8_0")
        text = "Once upon a time, 12345 dogs (they'd run)\n\n  away  -- caf\u00e9!"
        ids = [self.succeed("tokenize", "-m", model, text).out for model in (STORIES, file)]
        self.assertEqual(ids[0], ids[1])

    def test_threads_give_the_same_bytes(self):
        alone = self.quantize(STORIES, "q4_k_m", "-t", 1, name="1").read_bytes()
        for threads in (2, 5):
            self.assertEqual(self.quantize(STORIES, "q4_k_m", "-t", threads, name=str(threads)).read_bytes(), alone)

    def test_from_gguf(self):
        whole = self.quantize(STORIES, "f32", name="whole.gguf")
        # By the same rules, whether at once or in two steps; the same type again changes nothing.
        for kind in ("q4_k_m", "q8_0", "f32"):
            self.assertEqual(Gguf(self.quantize(whole, kind, name="two")).tensors,
                             Gguf(self.quantize(STORIES, kind, name="one")).tensors)
            (self.folder / "one").unlink()
            again = self.quantize(self.folder / "two", kind, name="three")
            self.assertEqual(Gguf(again).metadata, Gguf(self.folder / "two").metadata)
            self.assertEqual(again.read_bytes()[Gguf(again).data :],
                             (self.folder / "two").read_bytes()[Gguf(self.folder / "two").data :])
            for name in ("two", "three"):
                (self.folder / name).unlink()

    def test_rows_of_queries_and_keys_are_permuted_for_llama(self):
        model = CHECKPOINTS / "llama_gqa"
        config = read_json(model / "config.json")
        header, data = read_safetensors(model / "model.safetensors")
        entry = header["model.layers.0.self_attn.q_proj.weight"]
        self.assertEqual(entry["dtype"], "F32")
        content = data[slice(*entry["data_offsets"])]
        values = struct.unpack(f"<{len(content) // 4}f", content)
        gguf = Gguf(self.quantize(model, "f32"))
        rows, cols = entry["shape"]
        dim = rows // config["num_attention_heads"]
        found = gguf.floats("blk.0.attn_q.weight")
        for row in range(rows):
            head, i = divmod(row, dim)
            source = head * dim + i // 2 + (i % 2) * (dim // 2)
            self.assertEqual(found[row * cols : (row + 1) * cols], values[source * cols : (source + 1) * cols])

    def test_overwriting(self):
        file = self.folder / "out.gguf"
        file.write_bytes(b"precious")
        self.assert_one_error_line(mla("quantize", "-m", STORIES, "-o", file, "--type", "q8_0"), str(file), "--force")
        self.assertEqual(file.read_bytes(), b"precious")
        self.quantize(STORIES, "q8_0", "--force")
        self.assertEqual(file.read_bytes()[:4], b"GGUF")

    def test_the_source_is_not_overwritten(self):
        file = self.quantize(STORIES, "q8_0")
        before = file.read_bytes()
        self.assert_one_error_line(mla("quantize", "-m", file, "-o", file, "--type", "q4_0", "--force"), "is the source")
        link = self.folder / "link.gguf"
        link.symlink_to(file)
        self.assert_one_error_line(mla("quantize", "-m", file, "-o", link, "--type", "q4_0", "--force"), "is the source")
        self.assertEqual(file.read_bytes(), before)
        model = self.folder / "model"
        shutil.copytree(STORIES, model)
        weights = model / "model.safetensors"
        self.assert_one_error_line(mla("quantize", "-m", model, "-o", weights, "--type", "q4_0", "--force"), "is the source")
        self.assertEqual(weights.read_bytes(), (STORIES / "model.safetensors").read_bytes())

    def test_no_part_of_the_source_is_overwritten(self):
        folder = self.folder / "model"
        folder.mkdir()
        whole = folder / "only.gguf"
        shutil.copy(self.quantize(STORIES, "q8_0"), whole)
        before = whole.read_bytes()
        result = mla("quantize", "-m", folder, "-o", whole, "--type", "q4_0", "--force")
        self.assert_one_error_line(result, str(whole), "is the source")
        self.assertEqual(whole.read_bytes(), before)
        parts = self.folder / "parts"
        parts.mkdir()
        metadata = {"general.architecture": "llama", "llama.block_count": 1, "split.count": 2, "split.tensors.count": 2}
        for index, name in enumerate(("token_embd.weight", "output.weight")):
            write_gguf(parts / f"x-0000{index + 1}-of-00002.gguf", {**metadata, "split.no": index},
                       {name: ([32, 1], struct.pack("<32f", *range(32)))})
        second = parts / "x-00002-of-00002.gguf"
        before = second.read_bytes()
        result = mla("quantize", "-m", parts / "x-00001-of-00002.gguf", "-o", second, "--type", "q8_0", "--force")
        self.assert_one_error_line(result, str(second), "is the source")
        self.assertEqual(second.read_bytes(), before)
        # Beside the weights of a folder there may be the file of an earlier conversion.
        shutil.copytree(STORIES, self.folder / "stories")
        for _ in range(2):
            self.quantize(STORIES, "q8_0", "--force", name="stories/out.gguf")

    def test_rows_that_are_not_there_cost_no_memory(self):
        source = self.folder / "in.gguf"
        write_gguf(source, {"general.architecture": "llama", "llama.block_count": 1},
                   {"token_embd.weight": ([1 << 62, 0], b""), "output.weight": ([32, 1], bytes(128))})
        out = self.folder / "out.gguf"
        result = mla("quantize", "-m", source, "-o", out, "--type", "q8_0", bounded=True)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(Gguf(out).tensors["token_embd.weight"][0], [1 << 62, 0])

    def test_an_output_head_with_values_of_its_own_stays(self):
        model = self.folder / "model"
        shutil.copytree(CHECKPOINTS / "llama_tied", model)
        shape = read_safetensors(model / "model.safetensors")[0]["model.embed_tokens.weight"]["shape"]

        def add_head(change):
            def edit(tensors):
                dtype, _, content = tensors["model.embed_tokens.weight"]
                content = bytes(content)
                tensors["lm_head.weight"] = [dtype, shape, content[-4:] + content[:-4] if change else content]

            return edit

        rebuild(model / "model.safetensors", add_head(False))
        self.assertNotIn("output.weight", Gguf(self.quantize(model, "f32", name="same")).tensors)
        rebuild(model / "model.safetensors", add_head(True))
        file = self.quantize(model, "f32", name="other")
        self.assertIn("output.weight", Gguf(file).tensors)
        for source, name in ((model, "a.npy"), (file, "b.npy")):
            self.succeed("logits", "-m", source, "--ids", "1,2,3,4,5", "-o", self.folder / name)
        a, b = ((self.folder / name).read_bytes()[128:] for name in ("a.npy", "b.npy"))
        a, b = (struct.unpack(f"<{len(part) // 4}f", part) for part in (a, b))
        self.assertLess(max(abs(x - y) for x, y in zip(a, b, strict=True)), 1e-4)

    def test_usage(self):
        out = self.folder / "out.gguf"
        self.fail_with(2, "quantize", "-m", STORIES, "-o", out)
        self.fail_with(2, "quantize", "-m", STORIES, "--type", "q8_0")
        result = self.fail_with(2, "quantize", "-m", STORIES, "-o", out, "--type", "q3_k")
        self.assertIn("q4_k_m", result.err)
        self.fail_with(2, "quantize", "-m", STORIES, "-o", out, "--type", "q8_0", "-t", 0)
        text = self.succeed("quantize", "--help").text
        for kind in TYPES:
            self.assertIn(kind, text)
        self.assertFalse(out.exists())

    def test_unwritable_or_missing(self):
        nowhere = self.folder / "no" / "out.gguf"
        self.assert_one_error_line(mla("quantize", "-m", STORIES, "-o", nowhere, "--type", "q8_0"), "out.gguf")
        self.assert_one_error_line(
            mla("quantize", "-m", self.folder / "none", "-o", self.folder / "x", "--type", "q8_0"), "none")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_weights_that_are_not_finite(self):
        model = self.folder / "model"
        shutil.copytree(STORIES, model)

        def spoil(tensors):
            entry = tensors["model.layers.2.mlp.experts.3.up_proj.weight"]
            entry[2] = entry[2][:400] + b"\x80\x7f" + entry[2][402:]  # bfloat16 infinity: row 1, column 8

        rebuild(model / "model.safetensors", spoil)
        out = self.folder / "out.gguf"
        result = mla("quantize", "-m", model, "-o", out, "--type", "q8_0")
        self.assert_one_error_line(result, "blk.2.ffn_up_exps.weight", "row 385", "infinity in column 8")
        self.assertEqual(list(self.folder.iterdir()), [model])

    def test_what_gguf_has_no_form_for(self):
        for name, part in (("positions_alibi", "position_encoding"), ("simplified_alibi", "position_encoding")):
            result = mla("quantize", "-m", CHECKPOINTS / name, "-o", self.folder / "x", "--type", "q8_0")
            self.assert_one_error_line(result, part, "no form")
        model = self.folder / "model"
        shutil.copytree(STORIES, model)
        tokenizer = read_json(model / "tokenizer.json")
        tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = r"\s+|\S+"
        write_json(model / "tokenizer.json", tokenizer)
        result = mla("quantize", "-m", model, "-o", self.folder / "x", "--type", "q8_0")
        self.assert_one_error_line(result, "pre_tokenizer", "GGUF has no name for")
        self.assertEqual(list(self.folder.iterdir()), [model])

    def test_full_disk(self):
        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        process = subprocess.run(
            [MLA, "quantize", "-m", STORIES, "-o", self.folder / "out.gguf", "--type", "f32"],
            capture_output=True, env=environment(), preexec_fn=limited, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"cannot write", process.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_interruption_leaves_nothing(self):
        # A model with a big embedding, so that there is time.
        source = self.folder / "big.gguf"
        cols, rows = 1024, 1 << 16
        text = lambda content: struct.pack("<Q", len(content)) + content
        head = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
        head += text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
        head += text(b"llama.block_count") + struct.pack("<II", 4, 1)
        head += text(b"token_embd.weight") + struct.pack("<IQQIQ", 2, cols, rows, 0, 0)
        head += b"\0" * (-len(head) % 32)
        with open(source, "wb") as file:
            file.write(head)
            file.write(struct.pack("<256f", *(i / 256 for i in range(256))) * (cols * rows // 256))
        process = start("quantize", "-m", source, "-o", self.folder / "out.gguf", "--type", "q6_k", "-t", 1,
                        stderr=subprocess.PIPE)
        while process.poll() is None and len(list(self.folder.iterdir())) == 1:
            time.sleep(0.01)
        self.assertIsNone(process.poll(), "ended before it could be interrupted")
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(list(self.folder.iterdir()), [source])


if __name__ == "__main__":
    unittest.main()
