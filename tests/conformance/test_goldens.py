"""The same golden numbers on every backend, from weights and inputs that NumPy made."""

import pytest

from cases import CASES
from goldens import FOLDER, compare


@pytest.mark.parametrize("name", sorted(CASES))
def test_golden_numbers(name):
    compare(name)


def test_every_golden_file_belongs_to_a_case():
    assert {file.stem for file in FOLDER.glob("*.json")} == set(CASES)
