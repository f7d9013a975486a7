"""The pages: everything is there, and nothing in them is what a submission made it."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings

from grader.reports import html
from grader.results import CheckResult, Grading, Outcome, SubmissionResult

from .demo import HALF, KIT, LOOP, RAISED, SYNTAX, UPDATE, check, demo_class, grading
from .strategies import MARKER, gradings

ELEMENTS = set(
    """
    html head meta link title style body a header footer main nav section h1 h2 h3 h4 p ul ol li
    dl dt dd div span strong b i small bdi code pre details summary table caption colgroup col
    thead tbody tr th td svg desc line rect text br
    """.split()  # noqa: SIM905
)
ATTRIBUTES = set(
    """
    charset http-equiv content name lang rel href class id style title scope rowspan colspan span
    role tabindex aria-label aria-labelledby aria-hidden open viewbox x y x1 x2 y1 y2 width height
    rx text-anchor
    """.split()  # noqa: SIM905
)
STYLES = re.compile(r"width:\d+(\.\d+)?%|--rows:\d+;--columns:\d+")


class Page(HTMLParser):
    """A page as a browser takes it apart: elements, attributes and text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.comments: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " "

    def handle_endtag(self, tag: str) -> None:
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def pages(grading: Grading, out: Path) -> dict[str, Page]:
    return {
        str(path.relative_to(out)): Page(path.read_text(encoding="utf-8"))
        for path in html.write(grading, out)
    }


def assert_ours(page: Page) -> None:
    """Every element, attribute, style and link is one that our templates make."""
    assert not page.comments
    for tag, attributes in page.elements:
        assert tag in ELEMENTS
        assert set(attributes) <= ATTRIBUTES
        if style := attributes.get("style"):
            assert STYLES.fullmatch(style)
        if (href := attributes.get("href")) is not None:
            assert re.fullmatch(r"#[a-z0-9]+|students/[^/]+\.html|data:,", href)


@given(grading=gradings(surrogates=True))
@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_submission_plants_an_element_an_attribute_or_a_link(
    grading: Grading, tmp_path: Path
) -> None:
    for page in pages(grading, tmp_path).values():
        assert_ours(page)


@given(grading=gradings())
@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_link_leads_somewhere_and_every_id_is_unique(
    grading: Grading, tmp_path: Path
) -> None:
    made = pages(grading, tmp_path)
    for page in made.values():
        ids = [a["id"] for _, a in page.elements if "id" in a]
        assert len(ids) == len(set(ids))
        for link in page.all("a"):
            href = link["href"] or ""
            assert href.removeprefix("#") in ids or unquote(href) in made


def test_hostile_text_is_shown_as_it_was_written(tmp_path: Path) -> None:
    hostile = f'"><{MARKER} onload=alert(1)>&amp;{{{{ 7 * 7 }}}}'
    failure = dataclasses.replace(
        UPDATE, message=hostile, expected=hostile, actual=hostile, question=hostile
    )
    class_ = grading(check(Outcome.FAILED, failure, title=hostile), student="eve")
    page = pages(class_, tmp_path)["students/eve.html"]
    assert page.text.count(hostile) >= 5


@pytest.mark.parametrize("name", ["report.html", "students/ada.html"])
def test_a_page_forbids_scripts_and_the_network(tmp_path: Path, name: str) -> None:
    page = pages(grading(check(Outcome.PASSED)), tmp_path)[name]
    (policy,) = [m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert (policy["content"] or "").startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    )
    assert not page.all("script")
    assert "@import" not in (tmp_path / name).read_text(encoding="utf-8")
    assert "url(" not in (tmp_path / name).read_text(encoding="utf-8")


def student(tmp_path: Path, *checks: CheckResult) -> str:
    page = pages(grading(*checks), tmp_path)["students/ada.html"]
    return " ".join(page.text.split())


def test_a_student_reads_what_happened_and_what_to_think_about(tmp_path: Path) -> None:
    text = student(
        tmp_path,
        check(Outcome.FAILED, UPDATE, title="An update can clear a field", points=2),
        check(Outcome.PASSED, title="A user gets an id", name="test_b"),
    )
    for said in (
        "1 of 3 points",
        "Start here An update can clear a field",
        "not yet: An update can clear a field 0 of 2 points",
        "Setting bio to None left the old text in the row.",
        "repository.py:31",
        "Expected bio is NULL Found bio = 'Hello, I am Ada.'",
        "FROM users WHERE users.id = $1::UUID",
        "Which values does if value: let through",
        "“if value:” means “if a value was given”",
        "A first hint: What is the truth value of an empty string",
        "notebook 05_crud",
        "passed: A user gets an id",
    ):
        assert said in text


def test_sql_keeps_its_lines_and_repetitions_are_counted(tmp_path: Path) -> None:
    student(tmp_path, check(Outcome.FAILED, UPDATE))
    assert "users.updated_at\nFROM users\n" in (tmp_path / "students/ada.html").read_text()
    text = student(tmp_path, check(Outcome.FAILED, LOOP))
    assert "(25 of 101 statements shown)" in text
    assert "Sent 24 times in a row. Parameters: 1 · 2 · 3 · … 21 more" in text


def test_long_lists_of_statements_are_folded(tmp_path: Path) -> None:
    text = student(tmp_path, check(Outcome.FAILED, HALF))
    assert "failed: P0001 RaiseException" in text
    assert not re.search(r"\d more", text)
    longer = dataclasses.replace(HALF, statements=HALF.statements[:4] * 2)
    text = student(tmp_path, check(Outcome.FAILED, longer))
    assert "5 more COMMIT" in text


def test_a_hidden_check_that_fails_shows_what_it_found(tmp_path: Path) -> None:
    text = student(tmp_path, check(Outcome.FAILED, RAISED, title="Twice is refused", visible=False))
    assert "Twice is refused hidden check" in text
    assert "Your code raised an error. sqlalchemy.exc.IntegrityError" in text
    assert "line 18, in create_user" in text


def test_the_same_reason_is_told_once(tmp_path: Path) -> None:
    text = student(
        tmp_path,
        check(Outcome.FAILED, SYNTAX, title="First", name="test_a"),
        check(Outcome.FAILED, SYNTAX, title="Second", name="test_b"),
    )
    assert text.count("was never closed") == 1
    assert "For the same reason as First" in text


def test_a_fault_of_the_kit_costs_nothing_and_tells_a_student_no_internals(tmp_path: Path) -> None:
    leaky = dataclasses.replace(KIT, message="/srv/secret broke", traceback="/srv/secret.py")
    text = student(tmp_path, check(Outcome.ERROR, leaky, points=2))
    assert "These points are not final" in text
    assert "The kit failed here, not you." in text
    assert "points still open" in text
    assert "secret" not in text


def test_a_teacher_reads_the_faults_of_the_kit_first(tmp_path: Path) -> None:
    report = pages(grading(check(Outcome.ERROR, KIT, title="Broken")), tmp_path)["report.html"]
    text = " ".join(report.text.split())
    assert text.index("Not judged A check, the kit") < text.index("Points There are no final")
    assert "04_repository , Broken: ServerUnavailable" in text


def test_a_submission_that_cannot_be_read_says_why_on_both_pages(tmp_path: Path) -> None:
    eve = SubmissionResult("eve", (), problem="eve.zip is not a ZIP archive.")
    made = pages(dataclasses.replace(grading(), submissions=(eve,)), tmp_path)
    assert all("eve.zip is not a ZIP archive." in page.text for page in made.values())


def test_the_report_of_a_class_shows_evidence_numbers_and_everybody(tmp_path: Path) -> None:
    class_ = demo_class()
    report = pages(class_, tmp_path)["report.html"]
    text = " ".join(report.text.split())
    for said in (
        "30 submissions, 3 exercises, 70.5 points",
        "PostgreSQL 18.4 (embedded)",
        "Sandbox bubblewrap",
        "Seed 7",
        "A loop over objects costs one query",
        "Slowest",
    ):
        assert said in text
    links = {unquote(a["href"] or "") for a in report.all("a")}
    for path in (tmp_path / "students").iterdir():
        assert f"students/{path.name}" in links
    assert len(report.all("td")) > 30 * 36


def test_every_symbol_of_the_map_stands_for_its_outcome(tmp_path: Path) -> None:
    source = pages(
        grading(
            check(Outcome.PASSED, name="a", title="One"),
            check(Outcome.FAILED, UPDATE, name="b", title='Two "quoted"'),
            check(Outcome.ERROR, KIT, name="c", title="Three"),
        ),
        tmp_path,
    )
    assert source
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    row = raw[raw.index('<table class="map">') :].partition("<tbody>")[2].partition("</tr>")[0]
    assert row.partition("</th>")[2] == (
        "<td class=s>✓"
        '<td class=f title="failed: Two &#34;quoted&#34;">✗'
        '<td class=e title="not judged: Three">!'
    )


def test_one_submission_less_changes_no_other_page(tmp_path: Path) -> None:
    whole = demo_class(6)
    less = dataclasses.replace(whole, submissions=whole.submissions[1:])
    html.write(whole, tmp_path / "whole")
    html.write(less, tmp_path / "less")
    for path in (tmp_path / "less" / "students").iterdir():
        assert path.read_bytes() == (tmp_path / "whole" / "students" / path.name).read_bytes()


def test_an_empty_class_has_a_page(tmp_path: Path) -> None:
    empty = dataclasses.replace(grading(), submissions=())
    assert "0 submissions" in pages(empty, tmp_path)["report.html"].text


@pytest.mark.slow
def test_the_page_of_a_class_of_500_stays_small(tmp_path: Path) -> None:
    html.write(demo_class(500, 17), tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 2_500_000
    assert max(p.stat().st_size for p in (tmp_path / "students").iterdir()) < 600_000
