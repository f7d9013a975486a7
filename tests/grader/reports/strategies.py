"""Gradings that no teacher would dream of: hostile, empty, enormous, in every script."""

from __future__ import annotations

from hypothesis import strategies as st

from grader.people import Attempt, PersonScore, Scores
from grader.results import (
    CheckResult,
    Evidence,
    ExerciseResult,
    Failure,
    Grading,
    Misconception,
    Outcome,
    Reason,
    SentStatement,
    SubmissionResult,
)

MARKER = "x-injected"
"""The element that the hostile strings below try to plant."""

HOSTILE = (
    f"<{MARKER} onload=alert(1)>",
    f'"><{MARKER} a="',
    f"'><{MARKER} a='",
    f"</title></style></script><{MARKER}>",
    f"--><{MARKER}><!--",
    f"]]><{MARKER}><![CDATA[",
    f"`<{MARKER}>`",
    f"&lt;{MARKER}&gt; &amp; &#60;{MARKER}&#62;",
    "x onmouseover=alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}{# x #}",
    "=HYPERLINK('http://evil')",
    "+1",
    "-1+1|cmd",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "a;=1+1",
    'a,"=1+1',
    "\uff1d1+1",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "::error::forged",
    "%0A::error::forged",
    "  ::set-env name=PATH::/tmp",
    "x ##[error]forged",
    "##vso[task.setvariable variable=x]y",
    "```\n~~~\n</details>",
    "| a | b |\n| --- | --- |",
    "[x](javascript:alert(1)) ![x](http://evil.example/x.png) http://evil.example www.evil.example",
    "@everyone #1 **bold** _soft_ ~~gone~~ :tada: <!-- -->",
    "# 1. - + > \\ $x$ [^1]",
    "line one\nline two\r\nline three\rfour",
    "\x00\x08\x0b\x7f\x85\x9b31m",
    "\ufffe\uffff\ufdd0",
    "\u202emoc.live\u202c",
    "[red]not markup[/red] [/] [link=http://x]",
    "../../etc/passwd",
    "..\\..\\windows",
    "con",
    "NUL.txt",
    "ﬀﬁ \u212a ß İ \u0131",
    "שלום مرحبا हिन्दी 日本語 🙂",
    "e\u0301 \u00e9",
    "",
    " ",
    ".",
    "..",
    "long " * 2000,
    "x" * 5000,
)

_texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=30),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=3).map("".join),
)


def texts(*, surrogates: bool = False) -> st.SearchStrategy[str]:
    """Arbitrary text; with lone surrogates, which no encoding of a file can hold, if asked for."""
    if not surrogates:
        return _texts
    return st.one_of(_texts, st.text(st.characters(exclude_categories=()), max_size=20))


_points = st.one_of(st.integers(0, 10), st.floats(0, 100, allow_nan=False)).map(abs)
_hashes = st.one_of(st.just(""), st.just("0123456789abcdef" * 4))
_sqlstates = st.one_of(st.none(), st.sampled_from(["23505", "40001", "ZZ999"]))


def _scores(text: st.SearchStrategy[str]) -> st.SearchStrategy[Scores]:
    attempts = st.builds(Attempt, text, text, st.integers(0, 10**7), _points, _points)
    people = st.builds(
        PersonScore,
        *(text, text, text, text),
        st.sampled_from(["graded", "not final", "missing", "excused"]),
        text,
        _points,
        _points,
        st.lists(attempts, max_size=2).map(tuple),
    )
    several = st.lists(people, max_size=3).map(tuple)
    return st.builds(
        Scores, text, text, text, _points, several, st.lists(text, max_size=2).map(tuple), text
    )


@st.composite
def gradings(draw: st.DrawFn, *, surrogates: bool = False) -> Grading:
    """Arbitrary gradings of up to four submissions and three exercises."""
    text = texts(surrogates=surrogates)
    known = draw(st.lists(text, max_size=3, unique=True))
    exercises = draw(st.lists(_exercises(text), max_size=3, unique_by=lambda e: e[0]))
    students = sorted(draw(st.lists(text, max_size=4, unique=True)))
    submissions = tuple(draw(_submissions(student, exercises, known, text)) for student in students)
    return Grading(
        course=draw(text),
        evidence=draw(st.builds(Evidence, text, st.integers(0, 2**31), text, text, text)),
        submissions=submissions,
        misconceptions={id_: draw(_misconceptions(id_, text)) for id_ in known},
        timings=draw(_timings(submissions)),
        scores=draw(st.none() | _scores(text)),
        assignment=draw(text),
    )


def _misconceptions(id_: str, text: st.SearchStrategy[str]) -> st.SearchStrategy[Misconception]:
    hints = st.lists(text, max_size=2).map(tuple)
    return st.builds(Misconception, st.just(id_), text, text, hints)


@st.composite
def _exercises(
    draw: st.DrawFn, text: st.SearchStrategy[str]
) -> tuple[str, str, list[tuple[str, str, float, bool]]]:
    """Name, title and checks (name, title, points, visible) of an exercise."""
    checks = st.lists(
        st.tuples(text, text, _points, st.booleans()), max_size=4, unique_by=lambda c: c[0]
    )
    return draw(text), draw(text), draw(checks)


@st.composite
def _submissions(
    draw: st.DrawFn,
    student: str,
    exercises: list[tuple[str, str, list[tuple[str, str, float, bool]]]],
    known: list[str],
    text: st.SearchStrategy[str],
) -> SubmissionResult:
    if draw(st.booleans()) and draw(st.booleans()):
        return SubmissionResult(student, (), problem=draw(text))
    results = []
    for name, title, specs in exercises:
        handed_in = draw(st.booleans())
        checks = tuple(draw(_checks(spec, known, text)) for spec in specs)
        kept = checks if handed_in or draw(st.booleans()) else ()
        results.append(ExerciseResult(name, title, kept, handed_in, draw(_hashes)))
    return SubmissionResult(student, tuple(results), draw(_hashes))


@st.composite
def _checks(
    draw: st.DrawFn,
    spec: tuple[str, str, float, bool],
    known: list[str],
    text: st.SearchStrategy[str],
) -> CheckResult:
    name, title, points, visible = spec
    outcome = draw(st.sampled_from(Outcome))
    earned = points if outcome is Outcome.PASSED else 0
    failure = None
    if outcome is not Outcome.PASSED and draw(st.integers(0, 9)):
        failure = draw(_failures(outcome, known, text))
    return CheckResult(name, title, points, earned, outcome, visible, failure, draw(text))


def _failures(
    outcome: Outcome, known: list[str], text: st.SearchStrategy[str]
) -> st.SearchStrategy[Failure]:
    at_fault = [Reason.CHECK, Reason.KIT]
    ordinary = [reason for reason in Reason if reason not in at_fault]
    statements = st.builds(SentStatement, text, st.lists(text, max_size=2).map(tuple), _sqlstates)
    return st.builds(
        Failure,
        reason=st.sampled_from(at_fault if outcome is Outcome.ERROR else ordinary),
        message=text,
        question=text,
        expected=text,
        actual=text,
        misconception=st.one_of(st.none(), text, st.sampled_from(known) if known else st.none()),
        statements=st.lists(statements, max_size=5).map(tuple),
        statements_total=st.integers(0, 1000),
        traceback=text,
        location=text,
    )


def _timings(submissions: tuple[SubmissionResult, ...]) -> st.SearchStrategy[dict[str, object]]:
    by_check = {
        s.student: {e.exercise: {c.name: 0.125 for c in e.checks} for e in s.exercises}
        for s in submissions
    }
    return st.one_of(
        st.just({}),
        st.just({"by_student": {s.student: 0.25 for s in submissions}, "checks": 3}),
        st.just({"started": "2026-03-02T09:00:00+00:00", "by_check": by_check}),
        st.just({"started": "yesterday", "by_check": by_check}),
    )
