"""Says how many tests of a ctest JUnit file passed and failed: `N passed, N failed[, N skipped]`.

usage: count_tests.py <file> <exit status of ctest>
Exits with 1 if a test failed, if none ran or if ctest itself failed.
"""

import sys
import xml.etree.ElementTree as ElementTree


def main():
    path, status = sys.argv[1], int(sys.argv[2])
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcome = case.get("status")
        if outcome == "run":
            passed += 1
        elif outcome in ("notrun", "disabled"):
            # A test that asked to be skipped, as opposed to one whose program is missing.
            reason = case.find("skipped")
            if outcome == "disabled" or (reason is not None and "SKIP_" in reason.get("message", "")):
                skipped += 1
            else:
                failed += 1
        else:
            failed += 1
    line = f"{passed} passed, {failed} failed"
    print(line + (f", {skipped} skipped" if skipped else ""), flush=True)
    sys.exit(0 if status == 0 and failed == 0 and passed > 0 else 1)


main()
