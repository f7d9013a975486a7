"""Makes text that comes from a submission safe to keep: bounded, valid Unicode, no control
sequences.
"""

from __future__ import annotations

import re
from typing import Any

# ECMA-48: CSI and OSC sequences, then every other escape; afterwards whatever control character is
# left.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_]?)|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_CUT = "… (cut)"
_DEEPEST = 30


def clean(text: str | bytes, limit: int = 4000) -> str:
    """The text without control sequences, direction marks and lone surrogates, cut after ``limit``
    characters.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    looked_at = text[: 4 * limit + 1000]
    kept = looked_at.replace("\r\n", "\n").encode("utf-8", errors="replace").decode("utf-8")
    kept = _CONTROLS.sub("", _ESCAPES.sub("", kept))
    if len(kept) > limit or len(text) > len(looked_at):
        return f"{kept[:limit]}{_CUT}"
    return kept


def show(value: object, limit: int = 600) -> str:
    """How a value is shown to a learner: a text as it is, None as nothing, anything else as Python
    writes it.
    """
    return (
        "" if value is None else clean(value if isinstance(value, str) else literal(value), limit)
    )


def literal(value: Any, _depth: int = 0) -> str:
    """The value as Python writes it, with the members of sets sorted: the same in every process."""
    if _depth > _DEEPEST:
        return "…"
    kind = type(value)
    if kind is dict:
        pairs = (f"{literal(k, _depth + 1)}: {literal(v, _depth + 1)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if kind not in (list, tuple, set, frozenset) or not value:
        return repr(value)
    inside = [literal(item, _depth + 1) for item in value]
    if kind is list:
        return f"[{', '.join(inside)}]"
    if kind is tuple:
        return f"({inside[0]},)" if len(inside) == 1 else f"({', '.join(inside)})"
    members = f"{{{', '.join(sorted(inside))}}}"
    return members if kind is set else f"frozenset({members})"


def lower_first(text: str) -> str:
    """The text as it stands in the middle of a sentence."""
    return text[:1].lower() + text[1:]
