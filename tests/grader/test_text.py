"""What a submission says is kept as text that cannot do anything where it is shown."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.text import clean, show

CUT = "… (cut)"
KEPT_CONTROLS = {"\n", "\t"}
ESCAPES = st.sampled_from(
    [
        *("\x1b[31m", "\x1b[2J", "\x1b[?1049h", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\"),
        *("\x9b1m", "\x1bc", "\x1b", "\x1b[", "\x1b]", "\x9d0;t\x9c", "\x1b(B", "\x1bP1$r\x1b\\"),
        *("\u202e", "\u2066", "\u061c", "\ufeff", "\x00", "\x7f", "\r\n", "\r", "\ud800", "\uffff"),
    ]
)
TEXTS = st.lists(st.text() | ESCAPES, max_size=12).map("".join) | st.text(
    st.characters(codec=None, categories=None)
)


def is_harmless(text: str) -> bool:
    """No control character, no mark that turns the direction of text, nothing that is no text."""
    directions = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return all(
        character in KEPT_CONTROLS
        or (
            unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
            and unicodedata.bidirectional(character) not in directions
            and character not in "\u200e\u200f\u061c\ufeff"
            and ord(character) & 0xFFFE != 0xFFFE
        )
        for character in text
    )


@settings(deadline=None)
@given(TEXTS)
@example("\x1b\x1b[31m[31m")
@example("a\x1b]0;never ends")
def test_no_control_sequence_is_left(text: str) -> None:
    assert is_harmless(clean(text))


@settings(deadline=None)
@given(TEXTS, st.integers(0, 50))
def test_the_result_is_bounded(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit + len(CUT)


@settings(deadline=None)
@given(TEXTS, st.integers(0, 50))
@example("abc… (cut)", 3)
def test_cleaning_twice_changes_nothing_more(text: str, limit: int) -> None:
    once = clean(text, limit)
    assert clean(once, limit) == once


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_become_valid_utf8(raw: bytes) -> None:
    assert is_harmless(clean(raw))
    clean(raw).encode("utf-8")


@settings(deadline=None)
@given(TEXTS)
def test_what_is_kept_can_be_written_as_xml_and_utf8(text: str) -> None:
    import xml.etree.ElementTree as ET

    element = ET.Element("text")
    element.text = clean(text)
    assert ET.fromstring(ET.tostring(element, encoding="utf-8")).text == (clean(text) or None)


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=200))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("\x1b[1;31mFAILED\x1b[0m", "FAILED"),
        ("\x1b]0;root@host\x07prompt", "prompt"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10%\r20%\r\nnext", "10%20%\nnext"),
        ("tab\tand line\n", "tab\tand line\n"),
        ("\u202egnp.exe", "gnp.exe"),
        ("naïve 😀 ✓", "naïve 😀 ✓"),
        ("\ud83d", "?"),
        (b"caf\xe9", "caf\ufffd"),
    ],
)
def test_the_words_stay_and_the_tricks_go(said: str | bytes, kept: str) -> None:
    assert clean(said) == kept


def test_what_is_too_long_says_that_it_was_cut() -> None:
    assert clean("x" * 100, 10) == "x" * 10 + CUT
    assert clean("x" * 10, 10) == "x" * 10


def test_what_was_cut_before_it_was_cleaned_says_so_too() -> None:
    flood = "\x1b[31m" * 10_000 + "the end"
    assert clean(flood, 10).endswith(CUT)


def test_a_flood_of_half_sequences_takes_no_time_to_speak_of() -> None:
    for piece in ("\x1b[", "\x1b]", "\x1b", "\x9b0;", "\x1b[0;"):
        assert len(clean(piece * 1_000_000)) <= 4000 + len(CUT)


def test_nothing_is_shown_for_no_value_and_texts_stand_without_quotes() -> None:
    assert show(None) == ""
    assert show("Ada") == "Ada"
    assert show(["Ada", None]) == "['Ada', None]"
    assert show("\x1b[31mred") == "red"


def test_a_set_is_shown_in_the_same_order_by_every_process() -> None:
    program = (
        "from grader.text import show; words = 'to be or not that is the question'.split(); "
        "print(show({'words': set(words), 'pairs': [frozenset(words), set()]}))"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    words = "{'be', 'is', 'not', 'or', 'question', 'that', 'the', 'to'}"
    assert shown == {f"{{'words': {words}, 'pairs': [frozenset({words}), set()]}}\n"}


def test_a_list_that_holds_itself_can_be_shown() -> None:
    endless: list[object] = [1]
    endless.append(endless)
    assert show(endless).startswith("[1, [")
