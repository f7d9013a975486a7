"""Those who read reports in the tests notice what is not escaped, and are content with the rest."""

from __future__ import annotations

import pytest

from grader.reports import FORMATS
from tests.security.readers import READERS, read
from tests.security.shown import SHOWN

RAW = {
    ".html": ("<p><script>forged()</script>", "<img src=x onerror=alert(1)>", "<h1>forged</h1>"),
    ".xml": (
        "<testsuites><testcase name='forged'/></testsuites>",
        "<testsuites>]]></failure></testsuites>",
        "<testsuites><b>forged</b></testsuites>",
    ),
    ".csv": ("a,=1+1", "a,+1", "a,-1", "a,@SUM(A1)", 'a,"\t=1"', 'a,"\r=1"', "a,b;=1+1", "=1,2"),
    ".json": (
        '{"a": NaN}',
        '{"output_format": "html"}',
        '{"a": ',
        '["\\u001b[32m"]',
        '["\\u202e"]',
    ),
    ".md": (
        "<script>forged()</script>",
        "<img src=x onerror=alert(1)>",
        "[forged](https://example.com)",
        "**forged**",
        "text\n\n# forged heading",
        "::error file=a.py::forged",
    ),
    ".txt": ("::error file=a.py::forged", "  ::set-output name=points::10", "##[error]forged"),
    "": ("\x1b[32mforged", "\x9b31m", "::set-output name=points::10", "\x07", "\u202eforged"),
}


def test_every_format_has_something_to_show() -> None:
    assert set(SHOWN) == set(FORMATS)
    assert set(RAW) == set(READERS)


@pytest.mark.parametrize(
    ("suffix", "raw"), [(suffix, raw) for suffix, all_ in RAW.items() for raw in all_]
)
def test_a_reader_notices_what_is_not_escaped(suffix: str, raw: str) -> None:
    """Without this, a reader that sees nothing would be content with every report."""
    assert read(raw, suffix).taken


@pytest.mark.parametrize("suffix", READERS)
def test_a_reader_is_content_with_a_report_of_nothing_else(suffix: str) -> None:
    calm = {".xml": "<testsuites/>", ".json": '{"a": "<b>"}', ".txt": "::error title=1::forged"}
    assert read(calm.get(suffix, "calm"), suffix).taken == []
