"""Writes the golden numbers again, on the running backend: `python tests/goldens/make.py [Class ...]`.

They are what every backend must give (tests/conformance/test_goldens.py). Write them anew only when a formula was meant
to change, read the diff, and say in the commit which and why.
"""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "conformance")]

from cases import CASES  # noqa: E402
from goldens import write  # noqa: E402

for name in sys.argv[1:] or sorted(CASES):
    write(name)
    print(f"wrote tests/goldens/{name}.json")
