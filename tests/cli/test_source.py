"""Rules that the compiler does not look after."""
import collections
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ["MLA_TEST_DATA_DIR"]).parent


class Source(unittest.TestCase):
    def test_no_two_classes_of_one_name(self):
        """Two of one name in one namespace are one class to the linker: it takes either's constructors for both."""
        places = collections.defaultdict(list)
        for header in sorted([*ROOT.glob("src/**/*.h"), *ROOT.glob("include/**/*.h")]):
            namespace = ""
            for line in header.read_text().splitlines():
                if match := re.match(r"namespace( [a-z:]+)? \{", line):
                    # Unnamed ones are a file's own.
                    namespace = match[1] or f" of {header}"
                if match := re.match(r"(?:class|struct) (?:MLA_API )?(\w+)(?: final)?(?: : [^{;]*)? \{", line):
                    places[namespace, match[1]].append(str(header.relative_to(ROOT)))
        self.assertGreater(len(places), 100)
        self.assertEqual({name: files for name, files in places.items() if len(files) > 1}, {})


if __name__ == "__main__":
    unittest.main()
