"""Makes text that comes from a submission safe to keep: bounded, valid Unicode, no control
sequences.
"""

from __future__ import annotations

import re

# ECMA-48: CSI and OSC sequences, then every other escape; afterwards whatever control character is
# left.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_]?)|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def clean(text: str | bytes, limit: int = 4000) -> str:
    """The text without control sequences, direction marks and lone surrogates, cut after ``limit``
    characters.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    text = text[: 4 * limit + 1000].replace("\r\n", "\n")
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    text = _CONTROLS.sub("", _ESCAPES.sub("", text))
    if len(text) > limit:
        return f"{text[:limit]}… (cut)"
    return text


def show(value: object, limit: int = 600) -> str:
    """How a value is shown to a learner: its ``repr``, cleaned; an empty string for None as the
    whole value.
    """
    return "" if value is None else clean(value if isinstance(value, str) else repr(value), limit)
