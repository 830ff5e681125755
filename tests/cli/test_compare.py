"""mla compare: one sentence under every positional encoding."""

import json
import unittest

from _support import CHECKPOINTS, MODELS, TestCase, mla, read_json, write_json

FAMILY = MODELS / "encodings"
ENCODINGS = ["none", "integer", "binary", "sinusoidal", "learned", "rope", "rope-decoupled", "alibi"]
ADDITIVE = ["integer", "binary", "sinusoidal", "learned"]
BALL = "The dog chased the ball. It could not catch it."
ROW = (
    "encoding mask stage trained identical identical_1e6 cosine l2 norm_inflation pollution_cosine "
    "centered_cosine norm_error shift_error shift_error_max score_std content_score_std rotary_score_std "
    "bias_std attention_distance attention_entropy absorption_error remark layers"
).split()


def instruction_sets():
    """Those this processor has."""
    message = mla("compare", MLA_ISA="none such").err
    found = [name for name in ("scalar", "avx2", "avx512", "neon") if name in message]
    assert "scalar" in found, message
    return [name for name in found if mla("compare", MLA_ISA=name).code == 0]


class Compare(TestCase):
    def document(self, *arguments, **options):
        """What --json says, by encoding and mask."""
        document = json.loads(self.succeed("compare", *arguments, "--json", "-", **options).text)
        rows = {}
        for row in document["rows"]:
            rows[row["encoding"], row["mask"], row.get("norm")] = row
        return document, rows

    def test_table_fits_and_says_who_is_identical(self):
        result = self.succeed("compare")
        self.assertEqual(result.err, "")
        lines = result.text.splitlines()
        self.assertLessEqual(max(map(len, lines)), 100)
        cells = [line.replace("*", "").split() for line in lines]
        table = {tuple(row[:2]): row[2] for row in cells if row[1:2] in (["bidir"], ["causal"])}
        self.assertEqual(set(table), {(name, mask) for name in ENCODINGS for mask in ("bidir", "causal")})
        for (name, mask), verdict in table.items():
            self.assertEqual(verdict, "identical" if (name, mask) == ("none", "bidir") else "different", (name, mask))
        self.assertIn("none, causal: the causal mask alone tells them apart", result.text)
        self.assertIn("integer pollutes most", result.text)
        self.assertIn("norms of q and k kept to 1e-6", result.text)
        self.assertIn("(rounding)", result.text)

    def test_table_fits_whatever_the_text(self):
        for text in ("dog cat " * 250, f"{'x' * 600} {'x' * 600}", "the do\tg saw the do\ng"):
            lines = self.succeed("compare", "--random", text).text.splitlines()
            self.assertLessEqual(max(map(len, lines)), 100)
            self.assertTrue(any(line.startswith("encoding ") for line in lines))
            self.assertTrue(any(" at positions " in line for line in lines))

    def test_json_is_as_documented(self):
        document, rows = self.document()
        self.assertEqual(
            list(document),
            "text word positions tokens same_token repeated_words model shift rows trained statistics".split(),
        )
        self.assertEqual(document["text"], "The dog chased another dog")
        self.assertEqual(document["word"], "dog")
        self.assertEqual([document["tokens"][i] for i in document["positions"]], [" dog", " dog"])
        self.assertTrue(document["same_token"])
        self.assertEqual([(row["encoding"], row["mask"]) for row in document["rows"]],
                         [(name, mask) for name in ENCODINGS for mask in ("bidirectional", "causal")])
        tokens = len(document["tokens"])
        for row in document["rows"]:
            self.assertEqual(list(row), ROW)
            for layer in row["layers"]:
                for head in layer["heads"]:
                    self.assertEqual("rotary_scores" in head, row["encoding"] == "rope-decoupled")
                    self.assertEqual("bias" in head, row["encoding"] == "alibi")
                    self.assertEqual("frequency_use" in head, row["stage"] == "rotation")
                    for query, probabilities in enumerate(head["attention"]):
                        self.assertAlmostEqual(sum(probabilities), 1.0, delta=1e-4)
                        hidden = probabilities[query + 1 :] if row["mask"] == "causal" else []
                        self.assertEqual(hidden, [0.0] * len(hidden))
                    self.assertEqual(len(head["attention"]), tokens)

    def test_what_the_encodings_do(self):
        _, rows = self.document()
        for name in ENCODINGS:
            for mask in ("bidirectional", "causal"):
                row = rows[name, mask, None]
                self.assertEqual(row["identical"], (name, mask) == ("none", "bidirectional"), (name, mask))
                if name in ADDITIVE:
                    self.assertGreater(row["norm_inflation"], 1.0)
                    self.assertLess(row["pollution_cosine"], 1.0)
                    self.assertGreater(row["shift_error"], 1e-3 * row["score_std"])
                else:
                    self.assertAlmostEqual(row["norm_inflation"], 1.0, delta=1e-12)
                    self.assertAlmostEqual(row["pollution_cosine"], 1.0, delta=1e-12)
                    # Float32 scores and angles: some roundings of the largest score.
                    self.assertLess(row["shift_error"], 1e-5 * row["score_std"])
                self.assertEqual(row["norm_error"] is not None, "rope" in name)
                if "rope" in name:
                    self.assertLess(row["norm_error"], 1e-6)
        self.assertEqual(max(ADDITIVE, key=lambda name: rows[name, "causal", None]["norm_inflation"]), "integer")
        self.assertEqual(min(ADDITIVE, key=lambda name: rows[name, "causal", None]["pollution_cosine"]), "integer")
        # A number added to every value is gone behind LayerNorm.
        self.assertGreater(rows["integer", "causal", None]["centered_cosine"], 1.0 - 1e-5)
        self.assertGreater(rows["rope", "causal", None]["absorption_error"], 0.01)

    def test_equal_rows_are_equal_on_every_instruction_set(self):
        # Nine tokens are more than a block of rows in every kernel; OpenBLAS is told other processors, too.
        text = "the dog and the dog and the dog and the dog and the dog"
        for isa in instruction_sets():
            for core in ("Prescott", "Haswell", "SkylakeX"):
                with self.subTest(isa=isa, core=core):
                    _, rows = self.document(text, MLA_ISA=isa, OPENBLAS_CORETYPE=core)
                    self.assertTrue(rows["none", "bidirectional", None]["identical"])
                    self.assertFalse(rows["rope-decoupled", "bidirectional", None]["identical"])

    def test_the_other_classic_finds_it(self):
        document, rows = self.document(BALL)
        self.assertEqual(document["word"], "it")
        self.assertEqual(document["repeated_words"], ["the", "it"])
        self.assertTrue(rows["none", "bidirectional", None]["identical"])
        document, rows = self.document(BALL, "--word", "THE")
        self.assertEqual(document["word"], "the")
        self.assertTrue(rows["none", "bidirectional", None]["identical"])

    def test_a_checkpoint_with_its_encoding_exchanged(self):
        for name in ("stories", "tiny-v2"):
            document, rows = self.document("-m", MODELS / name)
            self.assertEqual([row["encoding"] for row in document["rows"][::2]],
                             [other for other in ENCODINGS if other != "rope"])
            self.assertTrue(rows["none", "bidirectional", None]["identical"])
            for other in document["rows"]:
                self.assertEqual(other["identical"], (other["encoding"], other["mask"]) == ("none", "bidirectional"))
                self.assertEqual(other["trained"], other["encoding"] == "rope-decoupled")
            self.assertIn("drawn at random", rows["learned", "causal", None]["remark"])
        # Two spellings are two tokens, and a byte-level vocabulary tells the first word of a text from others.
        document, rows = self.document(BALL, "--word", "it", "-m", MODELS / "stories")
        self.assertFalse(document["same_token"])
        self.assertFalse(rows["none", "bidirectional", None]["identical"])
        self.assertIn("different tokens", self.succeed("compare", BALL, "--word", "it", "-m", MODELS / "stories").text)

    def test_untrained_layers(self):
        document, rows = self.document("--random")
        self.assertEqual(document["model"], "random")
        self.assertEqual(document["positions"], [1, 4])
        self.assertEqual(len(document["rows"]), 2 * 2 * len(ENCODINGS))
        for norm in ("none", "rms"):
            for name in ENCODINGS:
                row = rows[name, "bidirectional", norm]
                self.assertEqual(row["identical"], name == "none", (name, norm))
        # Small embeddings without a norm make small scores, in which a rotation cannot be seen.
        invisible = rows["rope", "bidirectional", "none"]
        self.assertLess(invisible["score_std"], 1e-2)
        self.assertGreater(invisible["cosine"], 1.0 - 1e-6)
        self.assertLess(rows["rope", "bidirectional", "rms"]["cosine"], 0.99)
        same = self.document("--random")[0]
        other = self.document("--random", "--seed", 2)[0]
        self.assertEqual(document, same)
        self.assertNotEqual(document["rows"][2]["l2"], other["rows"][2]["l2"])

    def test_json_goes_to_a_file_beside_the_table(self):
        file = self.folder / "rows.json"
        result = self.succeed("compare", "--json", file)
        self.assertIn("encoding", result.text)
        self.assertEqual(read_json(file), self.document()[0])

    def test_long_texts_have_no_matrices(self):
        document, _ = self.document("the dog saw the cat and " * 10)
        self.assertNotIn("attention", document["rows"][0]["layers"][0]["heads"][0])

    def test_errors(self):
        for arguments, parts in [
            (["one two three"], ["text", "stands twice"]),
            ([""], ["text"]),
            (["--word", "cat"], ["word", '"cat"', "dog"]),
            (["-m", self.folder], [str(self.folder), "config.json"]),
            (["the dog " * 80], ["learned", "position", "127"]),
            (["the dog " * 400], ["text", "802 tokens", "at most 512"]),
            (["--html", self.folder / "nowhere" / "report.html"], ["nowhere"]),
            (["--json", self.folder], [str(self.folder)]),
            (["the dog and the dog", "-m", CHECKPOINTS / "v3_groups"], ["tokenizer.json"]),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_one_error_line(mla("compare", *arguments), *parts)
        self.fail_with(2, "compare", "--shift", 0)
        self.fail_with(2, "compare", "--shift", 4097)
        self.fail_with(2, "compare", "--random", "-m", MODELS / "stories")
        self.fail_with(2, "compare", "--trained", "-m", MODELS / "stories")
        self.fail_with(2, "compare", "--trained", "--random")
        self.fail_with(2, "compare", "--json", "-", "--html", "-")
        file = self.folder / "both"
        self.fail_with(2, "compare", "--json", file, "--html", file)
        self.assertFalse(file.exists())

    def test_a_model_without_attention_is_refused_by_name(self):
        write_json(self.folder / "config.json", {"model_type": "mamba"})
        self.assert_one_error_line(mla("compare", "-m", self.folder), "config.json", "model_type", "mamba")

    def test_no_shift_beyond_a_learned_table(self):
        _, rows = self.document("--shift", 125)
        self.assertIsNone(rows["learned", "causal", None]["shift_error"])
        self.assertIsNotNone(rows["sinusoidal", "causal", None]["shift_error"])


if __name__ == "__main__":
    unittest.main()
