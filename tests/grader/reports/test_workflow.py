"""What the log of a workflow obeys, and that nothing of it comes from a submission."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.reports.workflow import command, harmless, quoted

from .runner import Obeyed, obeyed
from .strategies import texts


@given(texts(), texts())
@settings(deadline=None, max_examples=200)
def test_a_command_is_one_command_that_says_what_it_should(title: str, message: str) -> None:
    found = obeyed(command("error", message, file="a.py", line=3, title=title))
    assert [(c.name, c.properties.get("file"), c.properties.get("line")) for c in found] == [
        ("error", "a.py", "3")
    ]
    assert set(found[0].properties) <= {"file", "line", "title"}


def test_a_command_keeps_lines_percent_signs_and_colons() -> None:
    line = command("warning", "100 %: a,b\nc", title="x: y, z")
    assert obeyed(line) == [Obeyed("warning", {"title": "x: y, z"}, "100 %: a,b\nc")]
    assert "\n" not in line


@given(st.lists(texts().map(lambda text: text.replace("\n", " "))))
@settings(deadline=None, max_examples=200)
def test_nothing_between_stop_and_go_is_obeyed(lines: list[str]) -> None:
    assert obeyed("\n".join([*quoted(lines), "::notice::after"])) == [Obeyed("notice", {}, "after")]


@given(texts())
@settings(deadline=None, max_examples=200)
def test_a_harmless_line_is_obeyed_nowhere(text: str) -> None:
    assert obeyed("\n".join(harmless(line) for line in text.split("\n"))) == []


def test_the_model_of_the_runner_obeys_what_the_real_one_does() -> None:
    log = "  ::error title=a%2Cb::x%0Ay\nnoise ##[warning]z\n::unknown::x\n:: error ::x"
    assert obeyed(log) == [
        Obeyed("error", {"title": "a,b"}, "x\ny"),
        Obeyed("warning", {}, "z"),
    ]
    assert obeyed("::stop-commands::abc\n::error::x\n::abc::\n::notice::y") == [
        Obeyed("notice", {}, "y")
    ]
