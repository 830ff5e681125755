"""mla compare --html, read by a headless Chromium where there is one."""

import json
import re
import unittest

import _browser
from _support import STORIES, TestCase

NASTY = 'The שלום 犬 dog </script><b>"&amp; <!-- 🐕‍🦺 Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen dog'


def embedded(page, name):
    return json.loads(re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page, re.S).group(1))


class Report(TestCase):
    def write(self, *arguments):
        file = self.folder / "report.html"
        self.succeed("compare", *arguments, "--html", file)
        return file

    def test_same_numbers_as_json(self):
        file, numbers = self.folder / "report.html", self.folder / "numbers.json"
        self.succeed("compare", "--random", "--html", file, "--json", numbers)
        page = file.read_text()
        self.assertEqual(embedded(page, "comparison"), json.loads(numbers.read_text()))
        names = [study["name"] for study in embedded(page, "encodings")]
        self.assertEqual(names, ["integer", "binary", "sinusoidal", "rope", "alibi"])
        self.assertEqual(self.succeed("compare", "--random", "--html", "-").text, page)

    def test_other_checkpoint_and_long_text(self):
        page = self.write("-m", STORIES, "dog " * 60).read_text()
        self.assertIn("left out for texts of more than 48 tokens", page)
        self.assertNotIn('<table class="map"', page)


@unittest.skipUnless(_browser.CHROMIUM, "no chromium here")
class Page(TestCase):
    """One browser for all, which takes longer to start than the rest together."""

    def see(self, browser, file, width, scheme):
        browser.view(width, 900, scheme)
        browser.open(file.as_uri())
        self.assertEqual(browser.run("document.documentElement.className"), "scripted")
        widths = browser.run("[document.scrollingElement.scrollWidth, window.innerWidth]")
        self.assertLessEqual(widths[0], widths[1], f"{file.name} is too wide for {width} pixels")

    def settle(self, browser, file):
        self.assertEqual(browser.complaints(), [])
        self.assertEqual(browser.requests(), [file.as_uri()])

    def choose(self, browser, name, value):
        browser.run(f"element('{name}').value = {json.dumps(value)}; element('{name}').dispatchEvent(new Event('change'))")
        self.assertEqual(browser.run(f"element('{name}').value"), value)

    def check_maps(self, browser, rows):
        for encoding, mask, layer, head, part in (
            ("alibi", "causal", 0, 1, "bias"),
            ("none", "bidirectional", 0, 0, "attention"),
        ):
            row = next(row for row in rows if (row["encoding"], row["mask"]) == (encoding, mask))
            label = encoding + (", no norm" if "norm" in row else "")
            for name, value in zip(("encoding", "mask", "layer", "head", "part"), (label, mask, layer, head, part)):
                self.choose(browser, "map-" + name, str(value))
            expected = row["layers"][layer]["heads"][head][part][2][1]
            browser.run("document.activeElement.blur()")
            browser.run("document.querySelector('#explorer tbody').rows[2].cells[2].focus()")
            said = browser.run("element('map-says').textContent")
            name = "attention" if part == "attention" else part
            shown = float(re.search(name + r" ([−0-9.]*[0-9])", said).group(1).replace("−", "-"))
            self.assertAlmostEqual(shown, expected, delta=0.006 * abs(expected) + 1e-3)
            self.assertIn("(2)", said)
            self.assertIn("(1)", said)
        before = browser.run("document.activeElement.cellIndex")
        browser.press("ArrowRight")
        self.assertEqual(browser.run("document.activeElement.cellIndex"), before + 1)

    def check_rotation(self, browser):
        def slide(name, value):
            browser.run(f"element('{name}').value = {value}; element('{name}').dispatchEvent(new Event('input'))")
            return browser.run("[element('fast-score').textContent, element('slow-score').textContent]")

        start = browser.run("[element('fast-score').textContent, element('slow-score').textContent]")
        self.assertNotEqual(slide("query-position", 9)[0], start[0])
        self.assertEqual(slide("query-position", 5), start)
        browser.run("element('together').click()")
        self.assertEqual(slide("query-position", 77), start)
        self.assertEqual(browser.run("element('key-position').value"), "74")
        # At the end of the key's slider both stay where they are apart by 3.
        self.assertEqual(slide("key-position", 127), start)
        self.assertEqual(browser.run("element('query-position').value"), "127")

    def check_keyboard(self, browser):
        """Everything that can be operated is reached by Tab, and shows that it is."""
        browser.run("document.activeElement.blur()")
        reached = set()
        for _ in range(60):
            browser.press("Tab")
            reached.add(browser.run("document.activeElement.id || document.activeElement.className"))
        self.assertIn("skip", reached)
        self.assertIn("theme-auto", reached)
        self.assertTrue(browser.run("getComputedStyle(document.activeElement).outlineStyle !== 'none'"))

    def check_colours(self, browser):
        colour = "getComputedStyle(document.body).backgroundColor"
        light = browser.run(colour)
        browser.run("element('theme-dark').click()")
        dark = browser.run(colour)
        self.assertNotEqual(light, dark)
        series = "getComputedStyle(document.documentElement).getPropertyValue('--series-1')"
        self.assertNotEqual(browser.run(series), "")
        browser.run("element('theme-light').click()")
        self.assertEqual(browser.run(series), "")
        browser.view(1280, 900, "dark")
        self.assertEqual(browser.run(colour), light)
        browser.run("element('theme-auto').click()")
        self.assertEqual(browser.run(colour), dark)

    def test_in_a_browser(self):
        plain, nasty = self.folder / "plain.html", self.folder / "nasty.html"
        self.succeed("compare", "--random", "--html", plain)
        self.succeed("compare", "-m", STORIES, NASTY, "--word", "dog", "--html", nasty)
        with _browser.Browser() as browser:
            self.see(browser, plain, 1280, "light")
            self.check_maps(browser, embedded(plain.read_text(), "comparison")["rows"])
            self.check_rotation(browser)
            self.check_keyboard(browser)
            self.check_colours(browser)
            self.settle(browser, plain)
            self.see(browser, plain, 390, "dark")
            self.settle(browser, plain)
            self.see(browser, nasty, 390, "light")
            self.assertEqual(browser.run("document.querySelector('blockquote').textContent"), NASTY)
            self.settle(browser, nasty)


if __name__ == "__main__":
    unittest.main()
