"""run.py FILE: the tests of one file. Exit status 0: all passed; 1: some failed; 77: none failed, but some were
skipped, and the reasons are printed."""

import importlib.util
import os
import sys
import unittest

SKIPPED = 77


def main() -> int:
    if importlib.util.find_spec("numpy") is None:
        print(f"skipped: {sys.executable} has no numpy (Debian's package python3-numpy)")
        return SKIPPED
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    name = os.path.splitext(os.path.basename(sys.argv[1]))[0]
    result = unittest.main(name, argv=[name, *sys.argv[2:]], exit=False, verbosity=2).result
    if not result.wasSuccessful():
        return 1
    if result.testsRun == 0:
        print("no tests found")
        return 1
    for reason in sorted({reason for _, reason in result.skipped}):
        print(reason)
    return SKIPPED if result.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
