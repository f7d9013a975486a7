"""The page on threats and the hostile submissions say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.security.archives import MADE, THREATS
from tests.security.conftest import SUBMISSIONS

CLASSES = range(1, 20)
ROW = re.compile(r"^\| (\d+) \| .+ \| .+ \| (.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def tried(root: Path) -> dict[int, set[str]]:
    """The submissions that the page names for each class."""
    page = (root / "docs" / "threats.md").read_text(encoding="utf-8")
    return {int(number): set(re.findall(r"`(\w+)`", names)) for number, names in ROW.findall(page)}


@pytest.mark.parametrize("number", CLASSES)
def test_every_class_has_hostile_submissions_and_the_page_names_them(
    number: int, tried: dict[int, set[str]]
) -> None:
    there = {hostile.name for hostile in SUBMISSIONS if number in hostile.threats}
    there |= {made.name for made in MADE if made.threat == number}
    assert there
    assert tried[number] == there


def test_the_page_has_no_other_classes(tried: dict[int, set[str]]) -> None:
    assert set(tried) == set(CLASSES)
    assert set().union(*(h.threats for h in SUBMISSIONS)) | THREATS == set(CLASSES)
